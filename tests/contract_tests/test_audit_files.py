"""The files and the output of a client: what the audit reads, and how it judges them."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_tests.client.driving.command import ClientCommand
from contract_tests.client.driving.output import read_files, without_key
from contract_tests.client.evidence import Evidence
from contract_tests.client.records import ClientExit
from contract_tests.client.rule import RuleFinding, judge
from contract_tests.client.rules import BY_ID
from contract_tests.client.stored_files import StoredFile
from contract_tests.contract.verdicts import Verdict
from tests.contract_tests.evidence import PICTURE, RESULT_URL, envelope, exchange, task

KEY = "sk-example-0123456789"
JPEG = b"\xff\xd8\xff\xe0" + bytes(50)


def stored(**files: bytes) -> Evidence:
    """Return the evidence of a client that downloaded one picture and stored these files."""
    named = {name.replace("_", "."): content for name, content in files.items()}
    return Evidence(
        exchanges=(exchange(1, operation="result"),),
        tasks=(task(result_urls=(RESULT_URL,)),),
        pictures={RESULT_URL: PICTURE},
        client_exit=ClientExit(
            exit_status=0,
            files=tuple(StoredFile(name=name, content=named[name]) for name in named),
        ),
    )


def judged(rule: str, evidence: Evidence) -> RuleFinding:
    return judge(BY_ID[rule], evidence)


@pytest.mark.parametrize(
    ("evidence", "verdict"),
    [
        (stored(fox_png=PICTURE), Verdict.PASS),
        (stored(fox_png=PICTURE, log_txt=b"done"), Verdict.PASS),
        (stored(fox_jpg=JPEG), Verdict.PASS),
        (stored(fox_zip=b"PK\x03\x04\xff\xfe" + PICTURE), Verdict.INCONCLUSIVE),
        (stored(log_txt=b"done"), Verdict.FAIL),
        (stored(fox_png=PICTURE[:-1]), Verdict.FAIL),
        (stored(), Verdict.FAIL),
    ],
    ids=["copy", "copy-and-log", "converted", "archive", "log", "truncated", "nothing"],
)
def test_downloaded_picture_must_be_in_a_file(evidence: Evidence, verdict: Verdict) -> None:
    assert judged("C-OUT-001", evidence).verdict is verdict


@pytest.mark.parametrize(
    ("evidence", "seen"),
    [
        (stored(fox_png=PICTURE[:50]), "fox.png has the first 50 of 108 bytes of a result"),
        (stored(fox=PICTURE[:50]), "fox has the first 50 of 108 bytes of a result"),
        (stored(fox_png=b""), "fox.png is empty"),
        (stored(fox_png=b'{"code": 503}'), "fox.png contains JSON"),
        (stored(fox_jpg=b"<!DOCTYPE html>"), "fox.jpg contains an HTML page"),
        (stored(fox_webp=b"\0\1\2"), "fox.webp contains no picture"),
        (stored(fox_png=PICTURE[:-1] + b"!"), "fox.png has the size of a result, but other bytes"),
    ],
    ids=["truncated", "truncated-without-suffix", "empty", "json", "html", "bytes", "corrupt"],
)
def test_damaged_file_is_named_with_its_defect(evidence: Evidence, seen: str) -> None:
    finding = judged("C-OUT-002", evidence)

    assert (finding.verdict, finding.seen) == (Verdict.FAIL, seen)


@pytest.mark.parametrize(
    "evidence",
    [
        stored(fox_png_part=PICTURE[:50]),
        stored(answer_json=b'{"code": 503}'),
        stored(page_html=b"<html>"),
        stored(fox_png=JPEG),
    ],
    ids=["temporary", "json", "html", "converted"],
)
def test_file_that_is_not_passed_off_as_a_result_is_no_defect(evidence: Evidence) -> None:
    assert judged("C-OUT-002", evidence).verdict is Verdict.PASS


@given(st.integers(4, len(PICTURE) - 1))
def test_every_beginning_of_a_picture_is_a_truncated_picture(size: int) -> None:
    assert judged("C-OUT-002", stored(fox_png=PICTURE[:size])).verdict is Verdict.FAIL


def test_rules_about_files_are_skipped_without_an_output_directory() -> None:
    evidence = Evidence(exchanges=(exchange(),), client_exit=ClientExit(exit_status=0))

    findings = [judged(rule, evidence) for rule in ("C-OUT-001", "C-OUT-002")]

    assert {(each.verdict, each.seen) for each in findings} == {
        (Verdict.SKIP, "not tested: the command has no {out_dir}")
    }


def test_key_is_found_and_redacted_in_output_and_files(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text(json.dumps({"key": KEY}))
    (tmp_path / "fox.png").write_bytes(PICTURE)
    output = f"curl -H 'Authorization: Bearer {KEY}'"

    found = without_key(ClientExit(exit_status=0, output=output, files=read_files(tmp_path)), KEY)

    assert found.has_printed_key
    assert {each.name: each.has_key for each in found.files or ()} == {
        "fox.png": False, "run/config.json": True,
    }  # fmt: skip
    assert KEY not in repr(found)
    finding = judged("C-KEY-002", Evidence(exchanges=(exchange(),), client_exit=found))
    assert finding.verdict is Verdict.WARN
    assert finding.seen == "the API key is in the output and the file run/config.json"


def test_links_and_large_files_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "passwd").symlink_to("/etc/passwd")
    with (tmp_path / "huge.png").open("wb") as file:
        file.truncate(17 * 1024 * 1024)
    (tmp_path / "fox.png").write_bytes(PICTURE)

    assert [each.name for each in read_files(tmp_path)] == ["fox.png"]


def test_number_of_files_that_are_read_is_limited(tmp_path: Path) -> None:
    for number in range(1_010):
        (tmp_path / f"{number:04}.txt").touch()

    assert len(read_files(tmp_path)) == 1_000


@pytest.mark.parametrize(
    ("placeholder", "expected"),
    [("{out_dir}", (True, False)), ("{num_images}", (False, True)), ("{{out_dir}}", (False,) * 2)],
)
def test_command_tells_which_placeholders_it_has(
    placeholder: str, expected: tuple[bool, bool]
) -> None:
    command = ClientCommand(f"true --to={placeholder}")

    assert (command.takes_out_dir, command.takes_num_images) == expected


def forged(output: str, *, path: str = "/results/task_1/0.png") -> Evidence:
    """Return the evidence of a client that got a forged and a genuine callback."""
    injected = frozenset({"callback forged-id"})
    bodies = [envelope("success", task_id) for task_id in ("task_9", "task_1")]
    callbacks = [
        exchange(number, operation="callback", injected=injected, body=body)
        for number, body in enumerate(bodies, 1)
    ]
    downloads = [
        exchange(3, operation="result"),
        exchange(4, operation="result", path=path, task_id=path.split("/")[2]),
    ]
    return Evidence(
        exchanges=(*callbacks, *downloads),
        tasks=(task(result_urls=(RESULT_URL,)),),
        client_exit=ClientExit(exit_status=0, output=output),
    )


@pytest.mark.parametrize(
    ("evidence", "verdict"),
    [
        (forged("saved 1.png"), Verdict.PASS),
        (forged("WARNING ignored a callback for task_9"), Verdict.PASS),
        (forged("unknown task: task_9"), Verdict.PASS),
        (forged('POST /callback {"taskId": "task_9", "resultJson": "…"}'), Verdict.PASS),
        (forged("task_9 is ready"), Verdict.WARN),
        (forged("http://cdn/results/task_9/0.png"), Verdict.FAIL),
        (forged("saved 1.png", path="/results/task_9/0.png"), Verdict.FAIL),
    ],
    ids=["silent", "ignored", "unknown", "raw-log", "shown", "address", "downloaded"],
)
def test_forged_task_must_not_become_a_result(evidence: Evidence, verdict: Verdict) -> None:
    assert judged("C-CB-006", evidence).verdict is verdict


def repeated(output: str = "", files: tuple[StoredFile, ...] = ()) -> Evidence:
    """Return the evidence of a client that got one callback three times, and no picture."""
    return Evidence(
        exchanges=tuple(
            exchange(number, operation="callback", body=envelope("success"))
            for number in range(1, 4)
        ),
        tasks=(task(result_urls=(RESULT_URL,)),),
        pictures={RESULT_URL: PICTURE},
        client_exit=ClientExit(exit_status=0, output=output, files=files),
    )


def copies(number: int) -> tuple[StoredFile, ...]:
    return tuple(StoredFile(name=f"{each}.png", content=PICTURE) for each in range(number))


@pytest.mark.parametrize(
    ("evidence", "verdict"),
    [
        (repeated(), Verdict.INCONCLUSIVE),
        (repeated(RESULT_URL), Verdict.PASS),
        (repeated(f"{RESULT_URL}\n" * 3), Verdict.WARN),
        (repeated(f'{{"resultJson": "{RESULT_URL}"}}\n' * 3), Verdict.INCONCLUSIVE),
        (repeated(files=copies(1)), Verdict.PASS),
        (repeated(files=copies(3)), Verdict.FAIL),
        (
            repeated(files=(StoredFile(name="log", content=f"{RESULT_URL}\n".encode() * 3),)),
            Verdict.WARN,
        ),
    ],
    ids=["no-trace", "printed", "printed-3", "raw-log", "file", "files-3", "listed-3"],
)
def test_repeated_callback_is_judged_by_output_and_files_too(
    evidence: Evidence, verdict: Verdict
) -> None:
    assert judged("C-CB-002", evidence).verdict is verdict


@pytest.mark.parametrize(
    ("place", "verdict"),
    [
        ({"path": "/api/v1/statusTask/gpt-image-1?key=[redacted]"}, Verdict.FAIL),
        ({"body": '{"callback_url": "http://me/?k=[redacted]"}'}, Verdict.FAIL),
        ({"body": '{"input": {"image_urls": ["http://me/[redacted]"]}}'}, Verdict.FAIL),
        ({"body": '{"api_key": "[redacted]"}'}, Verdict.WARN),
        ({"headers": (("X-Token", "[redacted]"),)}, Verdict.WARN),
        ({"headers": (("Authorization", "Bearer [redacted]"),)}, Verdict.PASS),
    ],
    ids=["query", "callback", "image", "body", "header", "authorization"],
)
def test_key_outside_the_authorization_header_is_found(
    place: dict[str, Any], verdict: Verdict
) -> None:
    assert judged("C-KEY-001", Evidence(exchanges=(exchange(**place),))).verdict is verdict
