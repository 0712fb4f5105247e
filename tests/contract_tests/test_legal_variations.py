"""What the contract leaves open is accepted from a server without a control plane."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from contract_tests.contract.verdicts import Verdict
from contract_tests.server.answer import Answer
from contract_tests.server.cases import pictures
from contract_tests.server.cases.properties import submitted
from contract_tests.server.catalogue import all_cases, select_cases
from contract_tests.server.events import Request, Response
from contract_tests.server.interruptions import PreconditionNotMet
from contract_tests.server.probe import Probe
from contract_tests.server.target import Target
from tests.contract_tests.fakes import FakeWorld, a_target, judged

FOREIGN = a_target()
MOCK = Target(base_url="http://127.0.0.1:1", is_live=False, settings={})
SIDES = {"1:1": (1, 1), "3:2": (3, 2), "2:3": (2, 3)}


def picture(form: str, size: tuple[int, int]) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", size).save(content, form)
    return content.getvalue()


@given(st.sampled_from(sorted(SIDES)), st.integers(100, 4000))
def test_a_size_is_a_choice_and_its_ratio_is_not(ratio: str, height: int) -> None:
    wide, high = SIDES[ratio]
    size = (round(height * wide / high), height)  # Pixels are whole, so the ratio is rounded.

    assert pictures.fits(FOREIGN, size, ratio)
    assert not any(pictures.fits(FOREIGN, size, other) for other in SIDES if other != ratio)
    assert pictures.fits(MOCK, size, ratio) is (size == pictures.SIZES[ratio])


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_the_format_of_a_picture_is_a_choice(form: str) -> None:
    assert pictures.size_of(picture(form, (300, 200))) == (300, 200)


def answer_to_a_submit(status: int, envelope: object) -> Answer:
    def answer(_: Request) -> Response:
        return Response(status=status, body=json.dumps(envelope).encode())

    return submitted(Probe(FakeWorld(answer), FOREIGN, seed=1), {})


def test_an_accepted_submit_may_have_a_member_about_credits() -> None:
    envelope = {"code": 200, "message": "success", "data": {"taskId": "1", "credits": 3.5}}

    assert answer_to_a_submit(200, envelope).status == 200


@pytest.mark.parametrize("status", [400, 402, 403])
def test_a_submit_that_is_rejected_for_lack_of_credit_says_nothing_about_it(status: int) -> None:
    with pytest.raises(PreconditionNotMet, match="Insufficient credits"):
        answer_to_a_submit(status, {"code": status, "message": "Insufficient credits"})


def rejecting_submits(code: str) -> FakeWorld:
    envelope = {"code": 400, "message": f"{code}: sorry", "data": None}
    answer = Response(
        status=400,
        headers=(("Content-Type", "application/json"),),
        body=json.dumps(envelope).encode(),
    )
    return FakeWorld(lambda _: answer)


@pytest.mark.parametrize("is_live", [False, True], ids=["foreign", "live"])
def test_a_submit_may_fail_at_once_with_the_fail_code_of_the_task(*, is_live: bool) -> None:
    [case] = select_cases(all_cases(), select=["S-FAIL-002"])

    ran = judged(case, rejecting_submits("INVALID_IMAGE_URL"), is_live=is_live).result

    assert ran.verdict is Verdict.INCONCLUSIVE
    assert "FAIL-6" in ran.reason
    assert [each.clause for each in ran.findings if each.verdict is not Verdict.PASS] == []


def test_a_submit_that_is_rejected_without_the_fail_code_breaks_the_contract() -> None:
    [case] = select_cases(all_cases(), select=["S-FAIL-002"])

    ran = judged(case, rejecting_submits("Bad image"), is_live=True).result

    assert ran.verdict is Verdict.FAIL


def test_a_submit_that_fails_at_once_leaves_the_task_that_succeeds_to_be_judged() -> None:
    [case] = select_cases(all_cases(), select=["S-STA-005"])
    accepted = {"code": 200, "message": "success", "data": {"taskId": "1"}}
    ended = {"taskId": "1", "state": "success", "createTime": 1_700_000_000_000}
    failed = {"code": 400, "message": "INVALID_IMAGE_URL", "data": None}

    def answer(request: Request) -> Response:
        if request.method == "GET":
            envelope: dict[str, object] = accepted | {"data": ended}
        else:
            envelope = failed if b"nothing.invalid" in request.body else accepted
        status = 400 if envelope is failed else 200
        return Response(status=status, body=json.dumps(envelope).encode())

    ran = judged(case, FakeWorld(answer)).result

    assert ran.reason == ""
    assert Verdict.PASS in {each.verdict for each in ran.findings if each.clause == "STA-3"}
