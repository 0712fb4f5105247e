"""ENV: the envelope of every response."""

from collections.abc import Callable, Iterator

from contract_tests.contract.provider import BALANCE, GENERATE, STATUS
from contract_tests.server.answer import Answer
from contract_tests.server.case import Case, Time
from contract_tests.server.examples import error_text
from contract_tests.server.probe import Probe

_JSON = {"Content-Type": "application/json"}
_TWICE = b'{"input": {"mode": "gpt-image-1", "prompt": "a red fox", "prompt": "a blue fox"}}'
_SUCCESS = 'an object {"code": 200, "message": "success", "data": …}'


def _good_answers(probe: Probe) -> Iterator[Answer]:
    submitted = probe.submit()
    yield submitted
    data = submitted.data
    if isinstance(data, dict) and isinstance(data.get("taskId"), str):
        yield probe.read_status(data["taskId"])
        yield probe.poll_until_final(data["taskId"])
    yield probe.send("GET", BALANCE)


def _rejections(probe: Probe) -> Iterator[Answer]:
    yield probe.send("GET", BALANCE, key="none")
    yield probe.send("GET", STATUS, query={"taskId": "task_of_nobody"}, key="none")
    yield probe.send("POST", GENERATE, body={"input": {}}, key="none")
    yield probe.send("POST", GENERATE, body={"input": {}})
    yield probe.send("POST", GENERATE, content=b"{", headers=_JSON)
    yield probe.send("GET", STATUS)
    yield probe.read_status("task_of_nobody")
    yield probe.send("GET", "/api/v1/statusTask/no-such-model", query={"taskId": "task_of_nobody"})
    yield probe.send("POST", "/api/v1/generateTask/no-such-model", body={"input": {}})


def _refusals_of_good_requests(probe: Probe) -> Iterator[Answer]:
    if (probe.target.info or {}).get("price") != 0:  # Otherwise no credit is needed.
        probe.change_settings(balance=0)
        yield probe.submit()
    probe.change_settings(balance=10, max_concurrent=1, generation_time=30)
    probe.submit_task()
    yield probe.submit()
    probe.change_settings(rate_limit=1)
    for method, path in (("GET", BALANCE), ("GET", STATUS), ("POST", GENERATE)):
        yield probe.send(method, path, body={"input": {}} if method == "POST" else None)


def _success(probe: Probe) -> None:
    for answer in _good_answers(probe):
        envelope = answer.json
        is_whole = (
            isinstance(envelope, dict)
            and type(envelope.get("code")) is int
            and envelope["code"] == 200
            and envelope.get("message") == "success"
            and envelope.get("data") is not None
        )
        probe.check("ENV-1", is_whole, expected=_SUCCESS, seen=answer)


def _error(probe: Probe) -> None:
    _judge_errors(probe, _rejections(probe))


def _trouble(probe: Probe) -> None:
    for answer in _judge_errors(probe, _refusals_of_good_requests(probe)):
        _judge_type(probe, answer)


def _judge_errors(probe: Probe, answers: Iterator[Answer]) -> tuple[Answer, ...]:
    looked_at = tuple(answers)
    for answer in looked_at:
        envelope = answer.json
        is_envelope = (
            isinstance(envelope, dict)
            and type(envelope.get("code")) is int
            and isinstance(envelope.get("message"), str)
            and bool(envelope["message"])
        )
        probe.check("ENV-1", is_envelope, expected="an object with code and message", seen=answer)
        if not is_envelope:
            continue
        probe.check(
            "ENV-2",
            envelope["code"] == answer.status >= 400,
            expected=f"code equals the HTTP status, {answer.status}",
            seen=answer,
        )
        data = envelope.get("data")  # The pages disagree about whether it can be absent.
        is_detail = data is None or isinstance(data, dict)
        probe.check(
            "ENV-2", is_detail, expected="data is an object with a detail, null or absent",
            seen=answer,
        )  # fmt: skip
    return looked_at


def _detail(probe: Probe) -> None:
    answer = probe.send("POST", GENERATE, body={"input": {"mode": "gpt-image-1"}})
    probe.check(
        "ENV-2",
        "input.prompt" in error_text(answer),
        expected='data or message names the field, as in "Missing required field: input.prompt"',
        seen=answer,
    )


def _content_type(of: Callable[[Probe], Iterator[Answer]]) -> Callable[[Probe], None]:
    def run(probe: Probe) -> None:
        for answer in of(probe):
            _judge_type(probe, answer)

    return run


def _judge_type(probe: Probe, answer: Answer) -> None:
    found = (answer.response.header("Content-Type") or "").partition(";")[0].strip()
    probe.check(
        "ENV-3",
        found.lower() == "application/json",
        expected="Content-Type: application/json",
        seen=f"Content-Type: {found or 'none'}",
        at=answer,
    )


def _twice(probe: Probe) -> None:
    answer = probe.send("POST", GENERATE, content=_TWICE, headers=_JSON)
    envelope = answer.json
    probe.check(
        "ENV-1",
        answer.status in {200, 400}
        and isinstance(envelope, dict)
        and envelope.get("code") == answer.status,
        expected="HTTP 200 or 400 in the envelope",
        seen=answer,
    )


CASES = (
    Case(
        id="S-ENV-001",
        title="every success has the envelope",
        clauses=("ENV-1",),
        sends="a submit, status requests until the task has ended, a balance request",
        expects=_SUCCESS,
        run=_success,
        images=1,
        worst_images=1,
        time=Time.ONE_GENERATION,
        is_smoke=True,
    ),
    Case(
        id="S-ENV-002",
        title="every rejection has the envelope, and its code is the HTTP status",
        clauses=("ENV-1", "ENV-2"),
        sends="requests without a key, without fields, with broken JSON, for unknown ids",
        expects="code and message; data is an object, null or absent",
        run=_error,
        worst_images=7,
        is_smoke=True,
    ),
    Case(
        id="S-ENV-003",
        title="a missing field is named in the error",
        clauses=("ENV-2",),
        sends="a submit without a prompt",
        expects="data or message names input.prompt",
        run=_detail,
        worst_images=1,
    ),
    Case(
        id="S-ENV-004",
        title="every success is declared as JSON",
        clauses=("ENV-3",),
        sends="a submit, status requests until the task has ended, a balance request",
        expects="Content-Type: application/json",
        run=_content_type(_good_answers),
        images=1,
        worst_images=1,
        time=Time.ONE_GENERATION,
    ),
    Case(
        id="S-ENV-005",
        title="every rejection is declared as JSON",
        clauses=("ENV-3",),
        sends="requests without a key, without fields, with broken JSON, for unknown ids",
        expects="Content-Type: application/json",
        run=_content_type(_rejections),
        worst_images=7,
    ),
    Case(
        id="S-ENV-006",
        title="the rejection of a valid request has the envelope too",
        clauses=("ENV-1", "ENV-2", "ENV-3"),
        sends="requests without credit, with too many tasks in progress, above the rate limit",
        expects="code as the HTTP status, message; data is an object, null or absent; JSON",
        run=_trouble,
        needs_control=True,
        provokes=(402, 429),
    ),
    Case(
        id="S-ENV-007",
        title="a body with a duplicate member is answered with the envelope",
        clauses=("ENV-1",),
        sends="a submit with two prompts",
        expects="HTTP 200 or 400 in the envelope",
        run=_twice,
        images=1,
        worst_images=1,
    ),
)
