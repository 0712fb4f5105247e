"""FAIL: failed tasks and their fail codes."""

from collections.abc import Callable
from typing import Any, Final

from contract_tests.contract.fail_codes import load_fail_codes
from contract_tests.contract.provider import BALANCE
from contract_tests.server.answer import Answer
from contract_tests.server.case import Case, Time
from contract_tests.server.cases.reference_images import LARGEST, data_url, sample
from contract_tests.server.examples import error_text
from contract_tests.server.interruptions import FailedAtOnce, PreconditionNotMet
from contract_tests.server.probe import Probe
from contract_tests.server.reading import data_of, state_of, task_id_of
from contract_tests.server.world import RECEIVER

_UNREACHABLE: Final = "https://nothing.invalid/fox.png"
_VIOLATION: Final = "a scene of gore"
_BY_SEED_PAGE: Final = frozenset({"CONTENT_VIOLATION", "INVALID_IMAGE_URL"})  # FAIL-1, FAIL-2
_CODES: Final = tuple(  # FAIL-3, from all editions of the page.
    code for code in load_fail_codes() if code not in _BY_SEED_PAGE
)
_AT_ONCE: Final = ("CONTENT_VIOLATION", "NSFW")  # One code of each page.
_BY_SEED: Final = "INVALID_IMAGE_URL"  # The only code for images on the model page.
_UNDOCUMENTED: Final = "sends images as data URLs, which no page documents"
_ON_PURPOSE: Final = "would violate the provider's rules on purpose"


def _failed_with(answer: Answer, code: str) -> bool:
    return state_of(answer) == "failed" and data_of(answer).get("failCode") == code


def _fails_later(clause: str, code: str, **given: Any) -> Callable[[Probe], None]:
    def run(probe: Probe) -> None:
        submitted = probe.submit(**given)
        task_id = task_id_of(submitted)
        if not probe.target.has_control:  # The mock does this by a rule only.
            _accept_failure_at_once(probe, submitted, code)
        probe.check(
            clause,
            bool(task_id),
            expected="HTTP 200 and a taskId: the submit itself succeeds",
            seen=submitted,
        )
        if task_id:
            ended = probe.poll_until_final(task_id)
            probe.check(
                clause, _failed_with(ended, code), expected=f"failed with {code}", seen=ended
            )

    return run


def _accept_failure_at_once(probe: Probe, submitted: Answer, code: str) -> None:
    """Raise FailedAtOnce if the submit was rejected with the fail code: pages disagree."""
    if 400 <= submitted.status < 500 and code in error_text(submitted):
        probe.check(
            "FAIL-6",
            holds=True,
            expected=f"the submit or its task fails with {code}",
            seen=submitted,
        )
        raise FailedAtOnce(code)


def _one_bad_of_two(probe: Probe) -> None:
    good = f"{RECEIVER}/images/fox.png"
    _fails_later("FAIL-2", _BY_SEED, image_urls=[good, _UNREACHABLE])(probe)


def _codes(probe: Probe) -> None:
    probe.change_settings(generation_time=30)  # The control plane can only end a task in progress.
    for code in _CODES:
        task_id = probe.submit_task()
        probe.control_task("POST", task_id, "/finish", {"state": "failed", "failCode": code})
        answer = probe.read_status(task_id)
        probe.check(
            "FAIL-3",
            _failed_with(answer, code) and bool(data_of(answer).get("failMsg")),
            expected=f"failed with {code} and a message",
            seen=answer,
        )


def _at_once(probe: Probe) -> None:
    before = probe.send("GET", BALANCE)
    for code in _AT_ONCE:
        refuse = {"status": 400, "fail": code}
        probe.control("POST", "next", {"apply": {"refuse": refuse}})
        answer = probe.submit()
        envelope = answer.json
        probe.check(
            "FAIL-6",
            answer.status == 400
            and isinstance(envelope, dict)
            and envelope.get("code") == 400
            and code in error_text(answer)
            and "taskId" not in data_of(answer),
            expected=f"HTTP 400 that names {code}, without a task",
            seen=answer,
        )
    after = probe.send("GET", BALANCE)
    probe.check(
        "FAIL-6",
        before.data == after.data and not probe.control("GET", "tasks")["tasks"],
        expected=f"no task and no cost: the balance stays {before.data!r}",
        seen=after,
    )
    again = probe.submit()
    probe.check(
        "FAIL-6",
        bool(task_id_of(again)),
        expected="a taskId for the next submit",
        seen=again,
    )


def _bad_images(probe: Probe) -> None:
    png = sample("fox.png")
    bad = [
        ("UNSUPPORTED_FORMAT", data_url(sample("fox.gif"), "image/gif")),
        ("IMAGE_TOO_LARGE", data_url(png.ljust(LARGEST + 1, b"\0"), "image/png")),
    ]
    if not probe.target.has_control:
        for documented, address in bad:
            _judge_image(probe, address, (documented, _BY_SEED), "either is possible")
        return
    bad.append(("UNSUPPORTED_FORMAT", "https://example.com/fox.gif"))
    probe.change_settings(image_urls="trust")  # No request is sent to example.com.
    configured = (probe.target.settings or {}).get("image_fail_codes", "seed")
    for side in (configured, "seed", "docs"):
        probe.change_settings(image_fail_codes=side)
        for documented, address in bad:
            code = documented if side == "docs" else _BY_SEED
            _judge_image(probe, address, (code,), f"as configured ({side})")


def _judge_image(probe: Probe, address: str, codes: tuple[str, ...], why: str) -> None:
    answer = probe.poll_until_final(probe.submit_task(image_urls=[address]))
    probe.check(
        "FAIL-4",
        any(_failed_with(answer, code) for code in codes),
        expected=f"failed with {' or '.join(codes)}, {why}",
        seen=answer,
    )


def _not_billed(probe: Probe) -> None:
    tasks: list[dict[str, Any]] = [{"image_urls": [_UNREACHABLE]}]
    if not probe.target.is_live:
        tasks.append({"prompt": _VIOLATION})
    for given in tasks:
        before = probe.send("GET", BALANCE)
        if before.status != 200 or type(before.data) not in {int, float}:
            raise PreconditionNotMet(f"the balance is unknown: {before.shown}")
        ended = probe.poll_until_final(probe.submit_task(num_images=4, **given))
        if state_of(ended) != "failed":
            raise PreconditionNotMet(f"the task did not fail: {ended.shown}")
        after = probe.send("GET", BALANCE)
        probe.check(
            "FAIL-5",
            before.data == after.data,
            expected=f"the balance before the task, {before.data!r}",
            seen=after,
        )


CASES = (
    Case(
        id="S-FAIL-001", title="content that violates the guidelines ends as CONTENT_VIOLATION",
        clauses=("FAIL-1",), sends="a submit with a prompt that is not allowed",
        expects="200, then failed with CONTENT_VIOLATION",
        run=_fails_later("FAIL-1", "CONTENT_VIOLATION", prompt=_VIOLATION),
        time=Time.ONE_GENERATION, loopback_only=_ON_PURPOSE,
    ),
    Case(
        id="S-FAIL-002", title="an image that cannot be read ends as INVALID_IMAGE_URL",
        clauses=("FAIL-2",), sends="a submit with an unreachable image address",
        expects="200, then failed with INVALID_IMAGE_URL",
        run=_fails_later("FAIL-2", _BY_SEED, image_urls=[_UNREACHABLE]), worst_images=1,
        time=Time.ONE_GENERATION, is_smoke=True,
    ),
    Case(
        id="S-FAIL-003", title="every documented fail code can occur",
        clauses=("FAIL-3",), sends="tasks that the control plane fails with each code",
        expects="failed with the code and a message", run=_codes, needs_control=True,
    ),
    Case(
        id="S-FAIL-004", title="a wrong format and a size over 10 MB have the configured codes",
        clauses=("FAIL-4",), sends="tasks with a GIF, and with an image over 10 MB",
        expects="INVALID_IMAGE_URL, or the two codes of the errors page", run=_bad_images,
        worst_images=2, time=Time.ONE_GENERATION,
        loopback_only=_UNDOCUMENTED,
    ),
    Case(
        id="S-FAIL-005", title="a failed task is not billed",
        clauses=("FAIL-5",), sends="a task that fails, with balance requests before and after",
        expects="the same balance", run=_not_billed, worst_images=4, time=Time.ONE_GENERATION,
    ),
    Case(
        id="S-FAIL-006", title="a task fails if one of its images cannot be read",
        clauses=("FAIL-2",), sends="a submit with an image, and an unreachable address",
        expects="200, then failed with INVALID_IMAGE_URL",
        run=_one_bad_of_two,
        is_slow=True, worst_images=1, time=Time.ONE_GENERATION, needs_receiver=True,
        loopback_only="S-FAIL-002 tests the same with one image",
    ),
    Case(
        id="S-FAIL-007", title="a submit can fail at once with a fail code",
        clauses=("FAIL-6",), sends="submits for which a rule is set, and balance requests",
        expects="400 that names the fail code, no task, the same balance", run=_at_once,
        needs_control=True,
    ),
)  # fmt: skip
