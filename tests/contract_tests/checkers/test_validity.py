"""The rules of validity agree with the public strategies, which are written independently."""

import pytest
from hypothesis import given

from contract_tests.contract.provider import GENERATE
from contract_tests.server.checkers.validity import Rules, validity_of
from contract_tests.server.events import build_request
from contract_tests.strategies import (
    Body,
    broken_submissions,
    submissions,
    with_unknown_members,
)

KNOWN = Rules(is_strict=False, accepts_general=False, has_choices=True)
UNKNOWN = Rules(is_strict=None, accepts_general=None, has_choices=False)
FOX = {"mode": "gpt-image-1", "prompt": "a red fox"}


@given(submissions())
def test_a_valid_submission_has_no_problem(body: Body) -> None:
    found = validity_of(build_request("POST", GENERATE, body=body), KNOWN)

    assert found.problems == ()
    assert not found.is_open
    assert not found.has_unknown_members


@given(broken_submissions())
def test_a_broken_submission_has_a_problem_with_the_path_of_its_member(
    example: tuple[Body, str],
) -> None:
    body, path = example
    found = validity_of(build_request("POST", GENERATE, body=body), KNOWN)

    assert path in {problem.path for problem in found.problems}


@given(with_unknown_members(submissions()))
def test_unknown_members_change_no_verdict(example: tuple[Body, Body]) -> None:
    _, more = example
    found = validity_of(build_request("POST", GENERATE, body=more), KNOWN)

    assert found.problems == ()
    assert found.has_unknown_members or found.is_open


@pytest.mark.parametrize(
    "body",
    [
        {"input": FOX | {"mode": "text-to-image"}},
        {"input": FOX | {"aspect_ratio": "16:9"}},
        {"input": FOX | {"num_images": None}},
        {"input": FOX | {"num_images": 2.0}},
        {"request_type": "callback", "callback_url": "http://127.0.0.1:1/hook", "input": FOX},
    ],
    ids=str,
)
def test_what_pages_disagree_about_is_open_for_an_unknown_server(body: Body) -> None:
    found = validity_of(build_request("POST", GENERATE, body=body), UNKNOWN)

    assert found.is_open
    assert found.problems == ()


@pytest.mark.parametrize(
    ("content", "headers", "clause"),
    [
        (b"{", {"Content-Type": "application/json"}, "SUB-14"),
        (b"\xff", {"Content-Type": "application/json"}, "SUB-14"),
        (b"[]", {"Content-Type": "application/json"}, "SUB-2"),
        (b"{}", {}, "SUB-2"),
        (b"{}", {"Content-Type": "text/plain"}, "SUB-2"),
    ],
)
def test_a_body_that_is_no_json_object_is_invalid(
    content: bytes, headers: dict[str, str], clause: str
) -> None:
    request = build_request("POST", GENERATE, content=content, headers=headers)

    assert [problem.clause for problem in validity_of(request, UNKNOWN).problems] == [clause]
