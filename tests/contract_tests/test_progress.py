"""A task that never becomes final is a violation of named clauses, not merely inconclusive."""

import json
from itertools import chain, repeat

import pytest

from contract_tests.contract.verdicts import Verdict
from contract_tests.server.catalogue import all_cases
from contract_tests.server.events import Request, Response
from contract_tests.server.interruptions import PreconditionNotMet
from contract_tests.server.probe import Probe
from tests.contract_tests.fakes import FakeWorld, a_target, judged

CASES = {case.id: case for case in all_cases()}


def status(state: str) -> Response:
    data = {"taskId": "1", "state": state, "createTime": 1_790_000_000_000}
    envelope = {"code": 200, "message": "success", "data": data}
    return Response(status=200, body=json.dumps(envelope).encode())


def violated(*answers: Response) -> tuple[set[str], int]:
    """Return the clauses that polling finds violated, and the number of requests.

    The last answer is repeated for ever.
    """
    left = chain(answers, repeat(answers[-1]))
    world = FakeWorld(lambda _: next(left))
    probe = Probe(world, a_target(), seed=1)
    with pytest.raises(PreconditionNotMet):
        probe.poll_until_final("1")
    return {each.clause for each in probe.findings if not each.holds}, len(world.asked)


ERROR = Response(status=404, body=b'{"code": 404, "message": "unknown task", "data": null}')
LIMITED = Response(status=429, body=b'{"code": 429, "message": "too many requests", "data": null}')


def test_a_task_in_progress_for_ten_times_the_average_violates_tim_1_and_sta_5() -> None:
    clauses, requests = violated(status("pending"), status("processing"))

    assert clauses == {"TIM-1", "STA-5"}
    assert requests == 101, "every 3 s for 300 s"


def test_an_unknown_state_violates_sta_4() -> None:
    assert "STA-4" in violated(status("pending"), status("rendering"))[0]
    assert "STA-4" in violated(status("queued"), status("processing"))[0]


def test_an_own_task_that_is_not_found_violates_sta_3_and_is_soon_given_up() -> None:
    assert violated(status("pending"), ERROR) == ({"STA-3"}, 6)


def test_errors_that_pass_and_a_rate_limit_violate_nothing_by_themselves() -> None:
    assert violated(*[ERROR] * 4, status("pending"), *[ERROR] * 4, LIMITED) == (set(), 10)


@pytest.mark.parametrize("is_live", [False, True])
@pytest.mark.parametrize(
    "case_id", ["S-STA-005", "S-STA-011", "S-STA-016", "S-CB-001", "S-RES-001"]
)
def test_a_task_that_hangs_is_no_failure_of_a_live_service_but_of_any_other(
    case_id: str,
    is_live: bool,  # noqa: FBT001
) -> None:
    submitted = Response(
        status=200, body=b'{"code": 200, "message": "success", "data": {"taskId": "1"}}'
    )

    def answer(request: Request) -> Response:
        return submitted if request.method == "POST" else status("processing")

    result = judged(CASES[case_id], FakeWorld(answer), is_live=is_live).result

    hung = [each.verdict for each in result.findings if each.clause == "TIM-1"]
    assert hung == [Verdict.WARN if is_live else Verdict.FAIL] * len(hung) != []
