"""STA: the tasks that a status request finds, and the sequence of its responses."""

import json
from collections.abc import Callable
from typing import Final

from contract_tests.contract.provider import STATUS
from contract_tests.server.case import Case, Time
from contract_tests.server.cases.status import dates, members
from contract_tests.server.cases.status.members import lives
from contract_tests.server.examples import Example, error_text, example_cases
from contract_tests.server.interruptions import PreconditionNotMet
from contract_tests.server.probe import Probe
from contract_tests.server.progress import STATES
from contract_tests.server.reading import canonical, data_of, has_ended, result_urls, state_of

_OTHER_MODELS: Final = ("no-such-model", "nano-banana")
_DAY_S: Final = 86_400

_ROWS = (
    Example(
        id="S-STA-003",
        title="an unknown task is not found",
        clauses=("STA-2",),
        method="GET",
        path=STATUS,
        query={"taskId": "task_00000000000000000000000000000000"},
        status=404,
        is_smoke=True,
    ),
    Example(
        id="S-STA-004",
        title="an unknown task id of any form is not found",
        clauses=("STA-2",),
        method="GET",
        path=STATUS,
        query={"taskId": "../..?x=1&y=%00 🦊"},
        status=404,
        loopback_only="no page specifies ids that no task can have",
        is_choice=True,
    ),
)


def _without_id(query: dict[str, str]) -> Callable[[Probe], None]:
    def run(probe: Probe) -> None:
        answer = probe.send("GET", STATUS, query=query)
        # The docs require taskId, but do not name the status.
        if probe.target.is_live or not probe.target.has_control:
            holds, expected = 400 <= answer.status < 500, "an error: taskId is required"
        else:
            holds = answer.status == 400 and "taskId" in error_text(answer)
            expected = "HTTP 400 naming taskId"
        probe.check("STA-1", holds, expected=expected, seen=answer)

    return run


def _forward(probe: Probe) -> None:
    for _, answers in lives(probe, with_failure=not probe.target.is_live):
        states = [state_of(answer) for answer in answers]
        ranks = [min(STATES.index(state), 2) if state in STATES else -1 for state in states]
        probe.check(
            "STA-5",
            ranks == sorted(ranks) and -1 not in ranks,
            expected="pending, then processing, then success or failed",
            seen=" ".join(str(state) for state in states),
            at=answers[-1],
        )
        if not has_ended(answers[-1]):
            raise PreconditionNotMet(f"the task was not final: {answers[-1].shown}")


def _frozen(probe: Probe) -> None:
    later_s = (1, 3, 60, _DAY_S, 20 * _DAY_S) if probe.target.has_control else (1, 3, 60)
    finals = {
        task_id: answers[-1]
        for task_id, answers in lives(probe, with_failure=not probe.target.is_live)
    }
    for final in finals.values():
        if not has_ended(final):
            raise PreconditionNotMet(f"the task was not final: {final.shown}")
    for seconds in later_s:
        probe.pass_time(seconds)
        for task_id, final in finals.items():
            later = probe.read_status(task_id)
            is_same = later.response.body == final.response.body
            what = "bytes"
            if not probe.target.has_control:  # Other servers may write the same JSON differently.
                is_same = canonical(later.response.body) == canonical(final.response.body)
                what = "content"
            probe.check(
                "STA-5",
                is_same,
                expected=f"the same {what} as the first final response: {final.shown}",
                seen=later,
            )


def _one_address_an_image(count: int) -> Callable[[Probe], None]:
    def run(probe: Probe) -> None:
        answer = probe.poll_until_final(probe.submit_task(num_images=count))
        urls = result_urls(answer)
        probe.check(
            "STA-7",
            len(urls) == count == len(set(urls)),
            expected=f"{count} different URLs",
            seen=answer,
        )

    return run


def _result_is_json(probe: Probe) -> None:
    answer = probe.poll_until_final(probe.submit_task(num_images=2))
    written = data_of(answer).get("resultJson")
    try:
        result = json.loads(written) if isinstance(written, str) else None
    except (ValueError, RecursionError):
        result = None
    urls = result.get("resultUrls") if isinstance(result, dict) else None
    probe.check(
        "STA-6",
        isinstance(urls, list)
        and bool(urls)
        and all(isinstance(url, str) and url.startswith(("http://", "https://")) for url in urls),
        expected='a string that contains {"resultUrls": [url, url]}',
        seen=answer,
    )


def _other_model(probe: Probe) -> None:
    task_id = probe.submit_task()
    for model in _OTHER_MODELS:
        answer = probe.send("GET", f"/api/v1/statusTask/{model}", query={"taskId": task_id})
        probe.check(
            "STA-11", answer.status == 404, expected=f"HTTP 404 on the path of {model}", seen=answer
        )


CASES = (
    Case(
        id="S-STA-001", title="a status request without taskId is rejected", clauses=("STA-1",),
        sends=f"GET {STATUS}", expects="HTTP 400 naming taskId", run=_without_id({}),
        is_smoke=True,
    ),
    Case(
        id="S-STA-002", title="an empty taskId counts as missing", clauses=("STA-1",),
        sends=f"GET {STATUS}?taskId=", expects="HTTP 400 naming taskId",
        run=_without_id({"taskId": ""}),
    ),
    *example_cases(_ROWS),
    *members.CASES,
    *dates.CASES,
    Case(
        id="S-STA-011", title="states only move forward", clauses=("STA-5",),
        sends="tasks, polled every 3 s", expects="pending, processing, then a final state",
        run=_forward, images=1, worst_images=1, time=Time.ONE_GENERATION,
    ),
    Case(
        id="S-STA-012", title="a final response never changes", clauses=("STA-5",),
        sends="status requests long after the tasks ended", expects="the same bytes",
        run=_frozen, images=1, worst_images=1, time=Time.ONE_GENERATION,
    ),
    *(
        Case(
            id=f"S-STA-{12 + count:03}", title=f"{count} images have {count} URLs",
            clauses=("STA-7",), sends=f"a task of {count} images", expects=f"{count} URLs",
            run=_one_address_an_image(count), images=count, worst_images=count,
            time=Time.ONE_GENERATION, is_smoke=count == 1,
        )
        for count in (1, 2, 4)
    ),
    Case(
        id="S-STA-017", title="resultJson contains URLs", clauses=("STA-6",),
        sends="a task of two images", expects="JSON in a string, with two URLs",
        run=_result_is_json, images=2, worst_images=2, time=Time.ONE_GENERATION,
    ),
    Case(
        id="S-STA-018", title="a task is not found on another model's path",
        clauses=("STA-11",), sends="a submit, and status requests on other models' paths",
        expects="HTTP 404", run=_other_model, images=1, worst_images=1,
    ),
)  # fmt: skip
