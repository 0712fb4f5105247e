"""Requests of a sandbox with rules: matching ones, others, and faults of the wire."""

from tests.mock_server.both_ways.case import Cases
from tests.mock_server.both_ways.conversation import Conversation
from tests.mock_server.both_ways.sandbox_cases import callback

CASES = Cases()
_UNAVAILABLE = {"status": 503, "message": "Unavailable"}


def _rule(t: Conversation, match: object, **apply: object) -> None:
    t.api.told("POST", "rules", {"match": match, "apply": apply})


def _fault(t: Conversation, fault: str) -> None:
    """Inject a fault into the first status request."""
    _rule(t, {"operation": "status", "times": 1}, wire=fault)


@CASES.case(503, 200, 404, 503, direct=0)
def rejections(t: Conversation) -> None:
    _rule(t, {"operation": "submit"}, refuse=_UNAVAILABLE)
    t.send(t.submit() + t.balance() + t.status() + t.submit(body=b"{}"))


@CASES.case(200, 404, 200, direct=0)
def rules_that_do_not_match(t: Conversation) -> None:
    _rule(t, {"operation": "balance", "header": {"X-Test": "yes"}}, refuse=_UNAVAILABLE)
    _rule(t, {"operation": "submit", "prompt_regex": "wol[fv]"}, refuse=_UNAVAILABLE)
    t.send(t.submit() + t.status() + t.balance("X-Test: no"))


@CASES.case(200, 503, 200, 503, direct=0)
def rules_by_number_header_and_pattern(t: Conversation) -> None:
    _rule(t, {"operation": "balance", "nth": 2}, refuse=_UNAVAILABLE)
    _rule(t, {"prompt_regex": "f.x", "header": {"X-Test": "yes"}}, refuse=_UNAVAILABLE)
    t.send(t.balance() + t.balance() + t.balance() + t.submit("x-TEST: yes"))


@CASES.case(503, 503, 200, 200, direct=1)
def queued_rules(t: Conversation) -> None:
    t.api.told("POST", "next", {"apply": {"refuse": _UNAVAILABLE}, "count": 2})
    t.send(t.balance() + t.submit() + t.submit())
    t.settle()
    t.send(t.balance())


@CASES.case(200, 200, direct=1)
def rules_that_come_and_go(t: Conversation) -> None:
    _rule(t, {}, latency="1ms")
    t.send(t.balance())
    t.settle()
    t.api.told("DELETE", "rules")
    t.send(t.balance())


@CASES.case(200, 404, 200, direct=0)
def latency(t: Conversation) -> None:
    _rule(t, {"operation": ["status", "submit"]}, latency={"uniform": ["10ms", "20s"]})
    t.send(t.submit() + t.status() + t.balance())


@CASES.case(200, 200, 200, direct=0)
def outcomes_and_meanings(t: Conversation) -> None:
    t.api.change(generation_time=0)
    _rule(t, {"operation": "submit"}, outcome={"fail": "MODEL_UNAVAILABLE"})
    _rule(t, {"operation": "status"}, meaning="unknown-members")
    task_id = t.new_task()
    t.send(t.status(task_id) + t.submit() + t.status(task_id))


@CASES.case(404, 404, direct=2)
def rules_for_callbacks(t: Conversation) -> None:
    _rule(t, {"operation": "callback"}, callback="before-answer")
    t.send(t.status() + t.status())


@CASES.case(404, 200, 404, direct=1, has_early_callback=True)
def callback_before_its_response(t: Conversation) -> None:
    _rule(t, {"operation": "callback"}, callback="before-answer")
    t.send(t.status() + t.submit(body=callback()) + t.status())


@CASES.case(200, direct=1, closes=True)
def fault_close(t: Conversation) -> None:
    _fault(t, "close")
    t.send(t.balance() + t.status() + t.submit())


@CASES.case(200, direct=1, closes=True, is_aborted=True)
def fault_reset(t: Conversation) -> None:
    _fault(t, "reset")
    t.send(t.balance())
    t.settle()
    t.send(t.status() + t.submit())


@CASES.case(200, 404, direct=1, closes=True)
def fault_half_body(t: Conversation) -> None:
    _fault(t, "half-body")
    t.send(t.balance() + t.status() + t.submit())


@CASES.case(404, direct=0, closes=True)
def fault_hang(t: Conversation) -> None:
    _fault(t, "hang")
    t.send(t.status() + t.submit())


@CASES.case(404, 200, direct=0)
def fault_dribble(t: Conversation) -> None:
    _fault(t, "dribble")
    t.send(t.status() + t.submit())


@CASES.case(200, direct=1, closes=True)
def fault_garbage(t: Conversation) -> None:
    _fault(t, "garbage")
    t.send(t.balance() + t.status() + t.submit())


@CASES.case(200, 502, 200, direct=1)
def fault_html_error(t: Conversation) -> None:
    _fault(t, "html-error")
    t.send(t.balance() + t.status() + t.submit())


@CASES.case(200, 404, 404, 404, 200, direct=0)
def faults_that_keep_the_connection(t: Conversation) -> None:
    for fault in ("empty", "wrong-content-type", "invalid-json", "bad-gzip"):
        _fault(t, fault)
    t.send(t.status() * 4 + t.submit())


@CASES.case(200, 200, 429, 200, direct=2)
def profile_that_is_chosen_between_requests(t: Conversation) -> None:
    t.send(t.balance())
    t.settle()
    t.api.change(profile="hostile")
    t.send(t.balance() + t.status())
    t.settle()
    t.api.change(profile="calm")
    t.send(t.submit())
