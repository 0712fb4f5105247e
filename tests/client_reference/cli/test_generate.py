"""`generate` prints URLs or files, and reports every error."""

import json
from pathlib import Path

import httpx
import pytest
from PIL import Image

from tests.client_reference.cli.conftest import Call, Mock, scripted
from tests.client_reference.scripted import (
    RESULT_URL,
    Answer,
    Service,
    accepts,
    breaks,
    fails,
    raw,
    says,
    succeeds,
    told,
)


def events(output: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in output.splitlines()]


def test_generate_prints_urls_to_stdout_and_progress_to_stderr(call: Call, mock: Mock) -> None:
    ended = call("generate", "a fox", "--num-images", "2", "--aspect-ratio", "3:2")

    (task_id,) = mock.task_ids()
    addresses = ended.output.splitlines()
    assert ended.status == 0
    assert len(addresses) == 2
    assert all(httpx.get(url, trust_env=False).status_code == 200 for url in addresses)
    assert ended.errors.splitlines() == [
        f"submitted {task_id}", f"{task_id}: processing", f"{task_id}: success",
    ]  # fmt: skip


def test_generate_with_a_directory_prints_files(call: Call, tmp_path: Path) -> None:
    directory = tmp_path / "my" / "pictures"

    ended = call("generate", "a fox", "--aspect-ratio", "2:3", "-o", str(directory))

    (file,) = ended.output.splitlines()
    assert [Path(file)] == list(directory.iterdir())
    with Image.open(file) as picture:
        assert picture.size == (1024, 1536)


def test_every_option_reaches_the_service(call: Call) -> None:
    service = Service(submit=[accepts()], status=[succeeds()])
    references = ["https://images.test/1.png", "https://images.test/2.png"]

    call(
        "generate", "a fox", "--provider", "value", "--num-images", "4", "--aspect-ratio", "3:2",
        "--image-url", references[0], "--image-url", references[1], client=scripted(service),
    )  # fmt: skip

    (submit,) = service.asked("submit")
    body = json.loads(submit.content)
    assert body["provider"] == "value"
    assert body["input"] == {
        "mode": "gpt-image-1", "prompt": "a fox", "aspect_ratio": "3:2", "num_images": 4,
        "image_urls": references,
    }  # fmt: skip


def test_json_prints_one_event_per_line(call: Call, tmp_path: Path) -> None:
    ended = call("generate", "a fox", "--json", "-o", str(tmp_path))

    told_events = events(ended.output)
    assert [event["event"] for event in told_events] == [
        "submitted", "status", "success", "downloaded",
    ]  # fmt: skip
    assert len({event["task_id"] for event in told_events}) == 1
    assert told_events[-1]["files"] == [str(file) for file in tmp_path.iterdir()]
    assert ended.errors == ""


def test_failed_task_is_exit_1_and_a_json_event(call: Call) -> None:
    ended = call("generate", "a fox [[mock fail=NSFW_DETECTED]]", "--json")

    last = events(ended.output)[-1]
    assert (ended.status, last["event"], last["fail_code"]) == (1, "failed", "NSFW_DETECTED")
    assert "NSFW_DETECTED" in ended.error


@pytest.mark.parametrize(
    ("service", "status", "naming"),
    [
        pytest.param(
            Service(submit=[breaks(httpx.ReadTimeout)]), 4, "may have been accepted", id="submit"
        ),
        pytest.param(
            Service(submit=[says(429, headers={"Retry-After": "900"})]), 3, "in 900 s", id="429"
        ),
        pytest.param(
            Service(submit=[accepts()], status=[told("processing")]),
            4,
            "continue with: client-reference wait task_1",
            id="too-late",
        ),
        pytest.param(
            Service(submit=[accepts()], status=[breaks(httpx.ReadTimeout)]),
            4,
            "continue with: client-reference wait task_1",
            id="no-answer-in-time",
        ),
        pytest.param(
            Service(submit=[accepts()], status=[raw(200, b"<html>")]),
            3,
            "continue with: client-reference wait task_1",
            id="garbage",
        ),
        pytest.param(
            Service(submit=[accepts()], status=[says(401)]),
            3,
            "check APIXO_API_KEY; continue with: client-reference wait task_1",
            id="key-withdrawn",
        ),
        pytest.param(
            Service(submit=[accepts()], status=[says(404)]), 3, "(task task_1)", id="not-found"
        ),
        pytest.param(
            Service(submit=[accepts("-x;$(y)")], status=[raw(200, b"")]),
            3,
            "client-reference wait -- '-x;$(y)'",
            id="hostile-id",
        ),
        pytest.param(
            Service(submit=[accepts()], status=[fails("X")]), 1, "failed: X: sorry", id="failed"
        ),
    ],
)
def test_every_error_after_the_submit_names_the_task(
    call: Call, service: Service, status: int, naming: str
) -> None:
    ended = call("generate", "a fox", "--timeout", "100", client=scripted(service))

    last = ended.errors.splitlines()[-1]
    assert (ended.status, ended.output) == (status, "")
    assert naming in last


@pytest.mark.parametrize(
    ("result", "naming"),
    [
        pytest.param(says(404), "15 days", id="expired"),
        pytest.param(
            raw(200, b"<html>", {"Content-Type": "text/html"}), "no known image", id="html"
        ),
    ],
)
def test_failed_download_is_exit_3_with_the_task_id(
    call: Call, tmp_path: Path, result: Answer, naming: str
) -> None:
    service = Service(submit=[accepts()], status=[succeeds()], result=[result])

    ended = call("generate", "a fox", "-o", str(tmp_path), client=scripted(service))

    last = ended.errors.splitlines()[-1]
    assert (ended.status, ended.output, list(tmp_path.iterdir())) == (3, "", [])
    assert naming in last
    assert "task_1" in last


def test_write_error_is_exit_3_with_the_command_to_continue(call: Call, tmp_path: Path) -> None:
    directory = tmp_path / "results"

    def succeeds_late(request: httpx.Request) -> httpx.Response:
        directory.touch()
        return succeeds()(request)

    service = Service(submit=[accepts()], status=[succeeds_late])
    ended = call("generate", "a fox", "-o", str(directory), client=scripted(service))

    last = ended.errors.splitlines()[-1]
    assert ended.status == 3
    assert f"{directory}: File exists" in last
    assert f"client-reference wait -o {directory} task_1" in last


def test_retries_are_json_events(call: Call) -> None:
    service = Service(balance=[says(503), says(200, 1)])

    ended = call("balance", "--json", client=scripted(service))

    assert [event["event"] for event in events(ended.output)] == ["retry", "balance"]
    assert (ended.status, ended.errors) == (0, "")


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_unpaired_surrogate_is_printed_escaped(call: Call, form: list[str]) -> None:
    service = Service(status=[told("\ud83e", failMsg="\ud83e", resultJson="\ud83e")])

    ended = call("status", "task_1", *form, client=scripted(service))
    refusing = Service(status=[says(400, message="\ud83e")])
    refused = call("status", "task_1", *form, client=scripted(refusing))

    assert (ended.status, refused.status) == (0, 3)
    assert "\\ud83e" in ended.output
    assert "\\ud83e" in refused.errors


def test_balance_is_printed_to_its_last_digit(call: Call) -> None:
    digits = b"12345678901234567890.12345678901234567890"
    service = Service(
        balance=[raw(200, b'{"code": 200, "message": "success", "data": %s}' % digits)]
    )

    assert call("balance", client=scripted(service)).output == f"{digits.decode()}\n"


def test_wait_can_download(call: Call, mock: Mock, tmp_path: Path) -> None:
    task_id = mock.submit("a fox")

    ended = call("wait", task_id, "-o", str(tmp_path))

    assert ended.output == f"{tmp_path / task_id}-1.png\n"
    assert (tmp_path / f"{task_id}-1.png").is_file()


def test_json_status_has_every_known_member(call: Call) -> None:
    service = Service(status=[succeeds()])

    (event,) = events(call("status", "task_1", "--json", client=scripted(service)).output)

    assert event == {
        "event": "status", "task_id": "task_1", "state": "success", "urls": [RESULT_URL],
        "create_time_ms": 1, "complete_time_ms": 31_000, "cost_time_ms": 30_000,
    }  # fmt: skip
