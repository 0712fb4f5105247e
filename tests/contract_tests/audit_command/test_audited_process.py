"""The client as a process: what it gets, how it is stopped, and what is said about its end."""

import json
from pathlib import Path
from typing import Any

from contract_tests.client.reports.files import read_audit
from contract_tests.contract.verdicts import Verdict
from tests.contract_tests.audit_command.clients import SUBMIT, audit


def test_audit_stops_after_the_first_case_and_says_how_the_client_ended(
    client: Any, tmp_path: Path
) -> None:
    crashes = client(
        "open(sys.argv[1], 'a').write(os.environ['APIXO_API_KEY'] + '\\n')\n"
        "print('no such model for', os.environ['APIXO_API_KEY'])\n"
        "sys.exit(7)",
        str(tmp_path / "keys"),
    )
    ended = audit(crashes, "--parallel", "1", "--report", tmp_path / "report", select="A-*")
    cases = read_audit(tmp_path / "report").cases

    (key,) = (tmp_path / "keys").read_text().split()
    assert ended.returncode == 3
    assert ended.stderr.splitlines()[0].endswith(
        "The client exited with status 7. The end of its output:"
    )
    assert ended.stderr.splitlines()[1:-1] == ["  no such model for [key]"]
    assert "Check the command in --exec" in ended.stderr
    assert key not in ended.stdout + ended.stderr
    reasons = [case.reason for case in cases if case.verdict is Verdict.INCONCLUSIVE]
    assert reasons.count("not run: the client did not reach the mock") == len(reasons) - 1


def test_client_that_hangs_stops_the_audit_as_well(client: Any) -> None:
    hangs = client("import time; time.sleep(600)")
    ended = audit(hangs, "--parallel", "1", "--timeout", "0.5", select="A-LIM-00[56]")

    assert ended.returncode == 3
    assert "The client was stopped after " in ended.stderr


def test_audit_goes_on_if_the_client_has_reached_the_mock_in_another_case(
    client: Any, tmp_path: Path
) -> None:
    shy = client("'A-LIM-005' in sys.argv[1] and submit()", "{prompt}")
    ended = audit(shy, "--parallel", "1", select="A-LIM-00[56]")

    assert "2 cases: 1 INCONCLUSIVE, 1 PASS" in ended.stdout
    assert ended.stderr == ""


def test_client_that_hangs_is_stopped_with_its_children(client: Any, tmp_path: Path) -> None:
    hangs = client(
        "import pathlib, signal, subprocess, time\n"
        "deaf = 'import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);'\n"
        "deaf += 'print(1, flush=True); time.sleep(600)'\n"
        "child = subprocess.Popen([sys.executable, '-c', deaf], stdout=subprocess.PIPE)\n"
        "child.stdout.readline()\n"
        "pathlib.Path(sys.argv[1]).write_text(f'{os.getpid()} {child.pid}')\n"
        "submit(), time.sleep(600)",
        str(tmp_path / "pids"),
    )
    ended = audit(hangs, "--timeout", "2", "--report", tmp_path / "report")
    (case,) = read_audit(tmp_path / "report").cases

    assert case.timed_out, ended.stdout
    assert case.reason == "the client was stopped after 2 s"
    pids = (tmp_path / "pids").read_text().split()
    assert [pid for pid in pids if is_alive(pid)] == []


def test_placeholders_and_environment_are_filled_in(client: Any, tmp_path: Path) -> None:
    told = given(
        client, tmp_path,
        "{base_url} {api_key} '{prompt}' {out_dir} {image_url} {callback_port}"
        " x{api_key}x {{other}} {} {{prompt}} '{\"a\": 1}' ${HOME} %{size}",
    )  # fmt: skip
    base_url, key, prompt, _, image_url, port, *rest = told["words"]

    assert told["environment"] == {
        "APIXO_BASE_URL": base_url,
        "APIXO_API_KEY": key,
        "APIXO_CALLBACK_URL": f"http://127.0.0.1:{port}/callback",
    }
    assert told["is_folder"]
    assert prompt
    assert image_url.startswith("https://")
    left_alone = ["{other}", "{}", "{prompt}", '{"a": 1}', "${HOME}", "%{size}"]
    assert rest == [f"x{key}x", *left_alone]


def test_callback_address_is_set_only_with_a_callback_port(client: Any, tmp_path: Path) -> None:
    told = given(client, tmp_path, "1 2 3 {out_dir}")

    assert set(told["environment"]) == {"APIXO_BASE_URL", "APIXO_API_KEY"}


def given(client: Any, tmp_path: Path, words: str) -> Any:
    """Return what a client is given while the user has a key and a callback address too."""
    command = client(
        "apixo = {name: text for name, text in os.environ.items() if name[:6] == 'APIXO_'}\n"
        "told = {'words': sys.argv[2:], 'environment': apixo,"
        " 'is_folder': os.path.isdir(sys.argv[5])}\n"
        "json.dump(told, open(sys.argv[1], 'w'))",
        str(tmp_path / "told.json"),
        words,
    )
    audit(command, env={"APIXO_API_KEY": "mine", "APIXO_CALLBACK_URL": "http://mine"})
    return json.loads((tmp_path / "told.json").read_text())


def test_no_report_contains_the_key(client: Any, tmp_path: Path) -> None:
    leaks = client(
        "key = os.environ['APIXO_API_KEY']\n"
        "open(sys.argv[1], 'w').write(key)\n"
        "print(key, key.upper(), file=sys.stderr)\n"
        "body = json.dumps({'input': {'prompt': key}, key: key}).encode()\n"
        f"ask('{SUBMIT}?key=' + key, body, **{{'User-Agent': key, 'X-Key': key}})\n"
        "sys.exit(key)",
        str(tmp_path / "key"),
    )
    ended = audit(leaks, "--report", tmp_path / "report")
    key = (tmp_path / "key").read_text().lower()

    files = list((tmp_path / "report").iterdir())
    assert len(files) == 4
    assert [path.name for path in files if key in path.read_text("utf-8").lower()] == []
    assert key not in (ended.stdout + ended.stderr).lower()


def is_alive(pid: str) -> bool:
    """Tell whether a process runs; a zombie does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in {"Z", "X"}
