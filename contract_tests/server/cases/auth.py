"""AUTH: which requests are authenticated."""

from contract_tests.contract.provider import BALANCE, GENERATE, STATUS
from contract_tests.server.answer import Answer
from contract_tests.server.case import Case, Time
from contract_tests.server.examples import Example, differences, example_cases
from contract_tests.server.probe import Probe
from contract_tests.server.reading import task_id_of

_REFUSED = {"code": 401, "message": str}
_BODY = {"input": {"mode": "gpt-image-1", "prompt": "a red fox in the snow"}}
_NO_KEYS: tuple[tuple[str, dict[str, str]], ...] = (
    ("no Authorization header", {}),
    ("an empty header", {"Authorization": ""}),
    ("a scheme without a key", {"Authorization": "Bearer"}),
    ("another scheme", {"Authorization": "Basic Zm94OmZveA=="}),
    ("a key without a scheme", {"Authorization": "a-key-without-a-scheme"}),
)
_QUERY = {"taskId": "task_of_nobody"}
_ENDPOINTS = (("POST", GENERATE, _BODY), ("GET", STATUS, None), ("GET", BALANCE, None))


def _rejections() -> tuple[Example, ...]:
    rows = []
    for place, (method, path, body) in enumerate(_ENDPOINTS):
        for number, (what, headers) in enumerate(_NO_KEYS):
            rows.append(
                Example(
                    id=f"S-AUTH-{1 + place * len(_NO_KEYS) + number:03}",
                    title=f"{method} {path.split('/')[3]}: {what} is rejected",
                    clauses=("AUTH-2",) if number < 2 else ("AUTH-2", "AUTH-3"),
                    method=method,
                    path=path,
                    body=body,
                    query=_QUERY if path == STATUS else {},
                    headers=headers,
                    key="none",
                    status=401,
                    reply=_REFUSED,
                    is_smoke=number == 0,
                )
            )
    return tuple(rows)


def _glued(probe: Probe) -> None:
    for method, path, body in _ENDPOINTS:
        answer = probe.send(
            method,
            path,
            body=body,
            query=_QUERY if path == STATUS else None,
            headers={"Authorization": "Bearera-key-without-a-space"},
            key="none",
        )
        for clause in ("AUTH-2", "AUTH-3"):
            probe.check(clause, answer.status == 401, expected="HTTP 401", seen=answer)


def _a_key_is_taken(probe: Probe) -> None:
    answer = probe.send("GET", BALANCE)
    probe.check("AUTH-1", answer.status == 200, expected="HTTP 200 for a valid key", seen=answer)


def _an_invalid_key(probe: Probe) -> None:
    for method, path, body in _ENDPOINTS:
        answer = probe.send(
            method,
            path,
            body=body,
            query=_QUERY if path == STATUS else None,
            headers={"Authorization": "Bearer sk-invalid-for-contract-tests"},
            key="none",
        )
        probe.check("AUTH-2", answer.status == 401, expected="HTTP 401", seen=answer)


def _scheme(probe: Probe) -> None:
    for scheme in ("bearer", "BEARER", "Bearer  "):
        answer = probe.send("GET", BALANCE, key=f"own as {scheme}")
        probe.check(
            "AUTH-3",
            answer.status == 200,
            expected=f"HTTP 200 for the scheme written {scheme!r}",
            seen=answer,
        )


def _tenants(probe: Probe) -> None:
    probe.require_second_key()
    task_id = probe.submit_task()
    theirs = probe.read_status(task_id, key="other")
    probe.check(
        "AUTH-4",
        theirs.status == 404,
        expected="HTTP 404 for another key's task",
        seen=theirs,
        is_choice=True,
    )
    ours = probe.read_status(task_id)
    probe.check(
        "AUTH-4", ours.status == 200, expected="HTTP 200 for a task of the same key", seen=ours
    )


def _separate_accounts(probe: Probe) -> None:
    probe.require_second_key()
    before = probe.send("GET", BALANCE, key="other").data
    probe.submit_task(num_images=4)
    after = probe.send("GET", BALANCE, key="other")
    probe.check(
        "AUTH-4",
        before == after.data,
        expected=f"the balance of the other key stays {before!r}",
        seen=after,
    )


def _separate_limits(probe: Probe) -> None:
    probe.require_second_key()
    probe.change_settings(rate_limit=1, max_concurrent=1)
    probe.send("GET", BALANCE)
    full = probe.send("GET", BALANCE)
    other = probe.submit(key="other")
    probe.check(
        "AUTH-4",
        full.status == 429 and task_id_of(other) is not None,
        expected="an exhausted limit of one key does not affect another key",
        seen=other,
    )


def _without_permission(probe: Probe) -> None:
    for method, path, body in _ENDPOINTS:
        answer = probe.send(
            method,
            path,
            body=body,
            query=_QUERY if path == STATUS else None,
            headers={"Authorization": "Bearer sk-forbidden-for-contract-tests"},
            key="none",
        )
        _judge_403(probe, answer)


def _forbidden_by_a_rule(probe: Probe) -> None:
    before = probe.send("GET", BALANCE)
    for method, path, body in _ENDPOINTS:
        probe.control("POST", "next", {"apply": {"refuse": {"status": 403}}})
        query = _QUERY if path == STATUS else None
        _judge_403(probe, probe.send(method, path, body=body, query=query))
    after = probe.send("GET", BALANCE)
    probe.check(
        "AUTH-5",
        after.status == 200
        and before.data == after.data
        and not probe.control("GET", "tasks")["tasks"],
        expected=f"no task and no cost: the balance stays {before.data!r}",
        seen=after,
    )


def _judge_403(probe: Probe, answer: Answer) -> None:
    problems = list(differences({"code": 403, "message": str}, answer.json))
    probe.check(
        "AUTH-5",
        answer.status == 403 and not problems,
        expected="HTTP 403 with the envelope of an error",
        seen="; ".join([answer.shown, *problems]),
        at=answer,
    )


CASES = (
    *example_cases(_rejections()),
    Case(
        id="S-AUTH-016",
        title="a scheme without a space before the key is rejected",
        clauses=("AUTH-2", "AUTH-3"),
        sends="a submit, a status and a balance request with no space after Bearer",
        expects="HTTP 401 each time",
        run=_glued,
        worst_images=1,
    ),
    Case(
        id="S-AUTH-021",
        title="a valid key is accepted",
        clauses=("AUTH-1",),
        sends="a balance request with Authorization: Bearer and the key",
        expects="HTTP 200",
        run=_a_key_is_taken,
        is_smoke=True,
    ),
    Case(
        id="S-AUTH-022",
        title="an invalid key is rejected on every endpoint",
        clauses=("AUTH-2",),
        sends="a submit, a status and a balance request with an unknown key",
        expects="HTTP 401 each time",
        run=_an_invalid_key,
        worst_images=1,
        is_smoke=True,
    ),
    Case(
        id="S-AUTH-023",
        title="the scheme may be in any letter case and followed by more spaces",
        clauses=("AUTH-3",),
        sends="balance requests with bearer, BEARER and two spaces",
        expects="HTTP 200 each time",
        run=_scheme,
    ),
    Case(
        id="S-AUTH-024",
        title="a key does not see another key's task",
        clauses=("AUTH-4",),
        sends="a submit with one key, status requests with both",
        expects="404 for the other key, 200 for the key of the task",
        run=_tenants,
        images=1,
        worst_images=1,
    ),
    Case(
        id="S-AUTH-025",
        title="each key has its own balance",
        clauses=("AUTH-4",),
        sends="a submit with one key, balance requests with another",
        expects="the other balance does not change",
        run=_separate_accounts,
        images=4,
        worst_images=4,
    ),
    Case(
        id="S-AUTH-026",
        title="each key has its own limits",
        clauses=("AUTH-4",),
        sends="requests up to a limit with one key, then a submit with another",
        expects="429 for the first key, 200 for the other",
        run=_separate_limits,
        needs_control=True,
        provokes=(429,),
        time=Time.INSTANT,
    ),
    Case(
        id="S-AUTH-027",
        title="a key without permission gets 403 on every endpoint",
        clauses=("AUTH-5",),
        sends="a submit, a status and a balance request with a key that begins with sk-forbidden",
        expects="HTTP 403 each time",
        run=_without_permission,
        needs_control=True,
        provokes=(403,),
    ),
    Case(
        id="S-AUTH-028",
        title="a rule rejects requests with 403",
        clauses=("AUTH-5",),
        sends="a submit, a status and a balance request for which a rule is set",
        expects="HTTP 403 each time, no task, the same balance",
        run=_forbidden_by_a_rule,
        needs_control=True,
        provokes=(403,),
    ),
)
