"""The output of `contract-tests` on terminals of 80 and 120 columns, and in a pipe."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_tests.client.reports.files import read_audit
from contract_tests.command.progress import estimate_s, minutes
from contract_tests.command.terminal import Entry, hanging_lines
from contract_tests.contract.verdicts import Verdict
from contract_tests.server.reports.files import read_report
from tests.contract_tests.commands import COMMAND, ROOT, environment
from tests.contract_tests.terminals import CTRL_C, ENTER, on_terminal

SUBMIT = "/api/v1/generateTask/gpt-image-1"
# In A-LIM-005 it retries a 400, which fails; in any other case it never ends.
CLIENT = f"""
import json, os, sys, time, urllib.error, urllib.request

if "A-LIM-005" not in sys.argv[1]:
    time.sleep(600)
body = json.dumps({{"input": {{"mode": "gpt-image-1", "prompt": "a fox"}}}}).encode()
headers = {{"Authorization": "Bearer " + os.environ["APIXO_API_KEY"],
           "Content-Type": "application/json"}}
for _ in range(2):
    url = os.environ["APIXO_BASE_URL"] + "{SUBMIT}"
    try:
        urllib.request.urlopen(urllib.request.Request(url, body, headers))
    except urllib.error.HTTPError as error:
        print(error.code)
"""
TWO_CASES = ("--select", "A-LIM-005", "--select", "A-LIM-006")
ONE_CASE = ("--select", "A-LIM-005")


@pytest.fixture
def client(tmp_path: Path) -> str:
    path = tmp_path / "client.py"
    path.write_text(CLIENT, "utf-8")
    return f"{shlex.join([sys.executable, str(path)])} {{prompt}}"


def piped(*words: str | Path, **env: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*COMMAND, *map(str, words)],
        env=environment(env),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


class TestLiveDisplay:
    def test_slow_case_hides_no_result_and_ctrl_c_reports_what_is_known(
        self, client: str, tmp_path: Path
    ) -> None:
        words = ("audit", "--exec", client, *TWO_CASES, "--report", tmp_path / "report")
        with on_terminal(*words) as command:
            command.read_until("FAIL         A-LIM-005")
            command.read_until("1 of 2 cases · 0:")
            command.read_until("running: A-LIM-006 0:")
            command.type(CTRL_C)
            status = command.wait()
        fast, slow = read_audit(tmp_path / "report").cases

        assert status == 130
        assert "interrupted: 1 of 2 cases ended" in command.text
        assert "seen    submit rejected with 400, retried 1 time" in command.text
        assert f"report: {tmp_path / 'report'}" in command.text  # In one piece, to be copied.
        assert fast.verdict is Verdict.FAIL
        assert (slow.verdict, slow.reason) == (
            Verdict.INCONCLUSIVE,
            "not run: the audit was interrupted",
        )

    def test_ctrl_c_in_a_run_reports_what_is_known(self, tmp_path: Path) -> None:
        with on_terminal("run", "--workers", "1", "--report", tmp_path) as command:
            command.read_until("1 PASS")
            command.type(CTRL_C)
            status = command.wait()
        verdicts = [case.verdict for case in read_report(tmp_path).cases]

        assert status == 130
        assert re.search(r"interrupted: [1-9]\d* of \d+ cases ended", command.text)
        assert Verdict.PASS in verdicts
        assert verdicts.count(Verdict.INCONCLUSIVE) > 1
        assert "cases: not run: the run was interrupted" in command.text

    def test_progress_leaves_nothing_behind(self) -> None:
        with on_terminal("run", "--select", "S-SUB-00[1-3]") as command:
            status = command.wait()

        assert status == 0
        assert "running: " in command.text
        # After the last redraw, the summary is all that is printed.
        end = command.raw.rpartition("\x1b[2K")[2]
        assert "3 cases: 3 PASS" in end
        assert "running" not in end

    @pytest.mark.parametrize("env", [{"TERM": "dumb"}, {"TERM": "unknown"}], ids=str)
    def test_dumb_terminal_gets_no_control_characters(self, env: dict[str, str]) -> None:
        with on_terminal("run", "--select", "S-SUB-001", env=env) as command:
            status = command.wait()

        assert status == 0
        assert "\x1b" not in command.raw
        assert "1 case: 1 PASS" in command.text

    def test_no_color_is_honoured(self, client: str) -> None:
        words = ("audit", "--exec", client, *ONE_CASE)
        with on_terminal(*words) as colourful, on_terminal(*words, env={"NO_COLOR": "1"}) as grey:
            assert colourful.wait() == grey.wait() == 1

        assert re.search(r"\x1b\[1;31mFAIL ", colourful.raw)
        assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", grey.raw)


class TestLayout:
    @pytest.mark.parametrize("columns", [80, 120])
    def test_lines_fit_the_terminal_and_hang_below_their_text(
        self, client: str, columns: int
    ) -> None:
        words = ("audit", "--exec", client, *ONE_CASE)
        with on_terminal(*words, columns=columns) as command:
            assert command.wait() == 1
        lines = [line for line in command.lines if "cases ·" not in line]
        change = next(number for number, line in enumerate(lines) if "change  " in line)

        assert max(map(len, lines)) <= columns
        indent = lines[change].index("Do not retry")
        assert lines[change + 1][:indent] == " " * indent
        assert lines[change + 1][indent] != " "

    @given(
        st.text("ab -", max_size=200), st.text(st.characters(categories=["L", "N", "P"])),
        st.integers(8, 200),
    )  # fmt: skip
    def test_paragraph_of_any_width_keeps_all_its_words(
        self, text: str, lead: str, width: int
    ) -> None:
        lines = hanging_lines(Entry(lead, text), width)

        assert all(line.cell_len <= width for line in lines)
        whole = "".join(line.plain for line in lines)
        assert "".join(whole.split()) == "".join((lead + text).split())

    def test_paragraph_is_one_line_where_no_width_is_known(self) -> None:
        (line,) = hanging_lines(Entry("FAIL  ", "word " * 100), None)

        assert line.plain == "FAIL  " + "word " * 100


class TestPipe:
    def test_pipe_gets_plain_lines_that_are_not_wrapped(self, client: str) -> None:
        ended = piped("audit", "--exec", client, *ONE_CASE)

        assert ended.returncode == 1
        assert "\x1b" not in ended.stdout + ended.stderr
        assert "\r" not in ended.stdout
        assert max(map(len, ended.stdout.splitlines())) > 100

    def test_forced_colour_in_a_pipe_redraws_nothing(self, client: str) -> None:
        ended = piped("audit", "--exec", client, *ONE_CASE, FORCE_COLOR="1", TERM="xterm")

        assert "\x1b[1;31mFAIL " in ended.stdout
        assert set(re.findall(r"\x1b\[[0-9;?]*([A-Za-z])", ended.stdout)) == {"m"}

    def test_progress_is_a_line_after_every_ten_cases(self) -> None:
        ended = piped("run", "--select", "S-SUB-00*", "--select", "S-AUTH-00*")

        assert ended.returncode == 0, ended.stdout
        counted = re.findall(r"^(\d+) of (\d+) cases: \1 PASS$", ended.stdout, re.MULTILINE)
        assert [number for number, _ in counted] == ["10"]
        assert "PASS         S-" not in ended.stdout


class TestWatch:
    def test_terminal_gets_a_table_and_enter_finishes(self) -> None:
        with on_terminal("audit", "--watch", *TWO_CASES) as command:
            text = command.read_until("0 of 2 keys used · 0 requests · 0:")
            key = re.findall(r"audit-A-LIM-005-\w+", text)[0]
            (base_url,) = re.findall(r"http://127\.0\.0\.1:\d+", text)
            body = {"input": {"mode": "gpt-image-1", "prompt": "a fox"}}
            headers = {"Authorization": f"Bearer {key}"}
            httpx.post(base_url + SUBMIT, headers=headers, json=body, trust_env=False)
            command.read_until("1 of 2 keys used · 1 request ·")
            command.type(ENTER)
            status = command.wait()

        assert status == 0
        assert re.search(rf"A-LIM-005\s+{key}\s+The submit is rejected with", text)
        assert "press Enter to finish" in text
        assert "{" not in command.text
        assert "2 cases: 1 PASS, 1 SKIP" in command.text
        assert max(map(len, command.lines)) <= 80

    def test_pipe_gets_json(self) -> None:
        command = [*COMMAND, "audit", "--watch", *ONE_CASE]
        with subprocess.Popen(
            command, env=environment(), cwd=ROOT, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            assert process.stdout is not None
            manifest = json.loads(process.stdout.readline())
            process.terminate()
            process.stdout.read()

        assert [case["id"] for case in manifest["cases"]] == ["A-LIM-005"]


class TestEstimate:
    def test_before_the_first_result_there_is_none(self) -> None:
        assert estimate_s([], [3.0], 5, 2) is None

    @given(
        st.lists(st.floats(0, 1e4), min_size=1), st.lists(st.floats(0, 1e4)),
        st.integers(0, 500), st.integers(1, 64),
    )  # fmt: skip
    def test_rest_is_never_negative_and_nothing_to_do_takes_no_time(
        self, ended_s: list[float], running_s: list[float], waiting: int, workers: int
    ) -> None:
        rest_s = estimate_s(ended_s, running_s, waiting, workers)

        assert rest_s is not None
        assert rest_s >= 0
        assert estimate_s(ended_s, [], 0, workers) == 0
        assert rest_s <= (waiting + len(running_s)) * max(ended_s) + 1e-6

    def test_more_workers_need_less_time(self) -> None:
        assert estimate_s([10.0], [], 8, 2) == 40
        assert estimate_s([10.0], [4.0], 0, 2) == 6

    def test_times_are_minutes_and_seconds(self) -> None:
        assert [minutes(each) for each in (0, 65.9, 3600)] == ["0:00", "1:05", "60:00"]
