"""FAIL: how a task fails."""

from typing import Final

from contract_tests.case import Case, Time
from contract_tests.cases.reading import state_of
from contract_tests.cases.reference_images import LARGEST, data_address, sample
from contract_tests.cases.status import data_of
from contract_tests.probe import BALANCE, Answer, NotExercised, Probe

_UNREACHABLE: Final = "https://nothing.invalid/fox.png"
_VIOLATION: Final = "a scene of gore"
_CODES: Final = (  # FAIL-3, of both editions
    "NSFW_DETECTED", "PROMPT_TOO_LONG", "INVALID_PROMPT", "IMAGE_TOO_LARGE", "UNSUPPORTED_FORMAT",
    "IMAGE_DOWNLOAD_FAILED", "PROCESSING_TIMEOUT", "MODEL_UNAVAILABLE", "GENERATION_FAILED",
    "INSUFFICIENT_CREDITS", "SensitiveContentDetected", "NSFW", "PromptLengthExceeded",
)  # fmt: skip
_ON_PURPOSE: Final = "would break the provider's rules on purpose"


def _failed_with(answer: Answer, code: str) -> bool:
    return state_of(answer) == "failed" and data_of(answer).get("failCode") == code


def _violation(probe: Probe) -> None:
    submitted = probe.submit(prompt=_VIOLATION)
    probe.check(
        "FAIL-1",
        submitted.status == 200,
        expected="HTTP 200: the submit itself succeeds",
        seen=submitted,
    )
    if submitted.status == 200:
        ended = probe.ended(str(data_of(submitted).get("taskId")))
        probe.check(
            "FAIL-1",
            _failed_with(ended, "CONTENT_VIOLATION"),
            expected="failed with CONTENT_VIOLATION",
            seen=ended,
        )


def _unreachable(probe: Probe) -> None:
    submitted = probe.submit(image_urls=[_UNREACHABLE])
    probe.check(
        "FAIL-2",
        submitted.status == 200,
        expected="HTTP 200: the submit itself succeeds",
        seen=submitted,
    )
    if submitted.status == 200:
        ended = probe.ended(str(data_of(submitted).get("taskId")))
        probe.check(
            "FAIL-2",
            _failed_with(ended, "INVALID_IMAGE_URL"),
            expected="failed with INVALID_IMAGE_URL",
            seen=ended,
        )


def _codes(probe: Probe) -> None:
    for code in _CODES:
        task_id = probe.task()
        probe.control("POST", f"tasks/{task_id}/finish", {"state": "failed", "failCode": code})
        answer = probe.ask(task_id)
        probe.check(
            "FAIL-3",
            _failed_with(answer, code) and bool(data_of(answer).get("failMsg")),
            expected=f"failed with {code} and a message",
            seen=answer,
        )


def _bad_images(probe: Probe) -> None:
    png = sample("fox.png")
    bad = (
        ("UNSUPPORTED_FORMAT", data_address(sample("fox.gif"), "image/gif")),
        ("IMAGE_TOO_LARGE", data_address(png.ljust(LARGEST + 1, b"\0"), "image/png")),
    )
    configured = (probe.target.settings or {}).get("image_fail_codes", "seed")
    for side in (configured, "seed", "docs"):
        if probe.target.has_control:
            probe.change(image_fail_codes=side)
        elif side != "seed":
            continue
        for documented, address in bad:
            code = documented if side == "docs" else "INVALID_IMAGE_URL"
            answer = probe.ended(probe.task(image_urls=[address]))
            probe.check(
                "FAIL-4",
                _failed_with(answer, code),
                expected=f"failed with {code}, as configured ({side})",
                seen=answer,
            )


def _not_billed(probe: Probe) -> None:
    before = probe.send("GET", BALANCE)
    task_id = probe.task(image_urls=[_UNREACHABLE], num_images=4)
    ended = probe.ended(task_id)
    if state_of(ended) != "failed":
        raise NotExercised(f"the task did not fail: {ended.shown}")
    after = probe.send("GET", BALANCE)
    probe.check(
        "FAIL-5",
        before.data == after.data,
        expected=f"the balance of before, {before.data!r}",
        seen=after,
    )


CASES = (
    Case(
        id="S-FAIL-001", title="content that breaks the guidelines ends as CONTENT_VIOLATION",
        clauses=("FAIL-1",), sends="a submit with a prompt that is not allowed",
        expects="200, then failed with CONTENT_VIOLATION", run=_violation,
        time=Time.ONE_GENERATION, loopback_only=_ON_PURPOSE,
    ),
    Case(
        id="S-FAIL-002", title="an image that cannot be read ends as INVALID_IMAGE_URL",
        clauses=("FAIL-2",), sends="a submit with an image address that nobody has",
        expects="200, then failed with INVALID_IMAGE_URL", run=_unreachable, worst_images=1,
        time=Time.ONE_GENERATION, is_smoke=True,
    ),
    Case(
        id="S-FAIL-003", title="every documented fail code can be told",
        clauses=("FAIL-3",), sends="tasks that control lets fail with each code",
        expects="failed with the code and a message", run=_codes, needs_control=True,
    ),
    Case(
        id="S-FAIL-004", title="a wrong format and a size over 10 MB have the configured codes",
        clauses=("FAIL-4",), sends="tasks with a GIF, and with an image over 10 MB",
        expects="INVALID_IMAGE_URL, or the two codes of the errors page", run=_bad_images,
        worst_images=2, time=Time.ONE_GENERATION,
        loopback_only="sends images in data: addresses, which no page promises",
    ),
    Case(
        id="S-FAIL-005", title="a failed task costs nothing",
        clauses=("FAIL-5",), sends="a task that fails, with balance requests before and after",
        expects="the same balance", run=_not_billed, worst_images=4, time=Time.ONE_GENERATION,
    ),
)  # fmt: skip
