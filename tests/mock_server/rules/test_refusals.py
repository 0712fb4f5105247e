"""Refusals, latency, outcomes and what the answer tells of them."""

from email.utils import parsedate_to_datetime

import pytest

from mock_server.settings import Settings
from tests.mock_server.e2e.api import Api, Json
from tests.mock_server.e2e.serving import running


@pytest.mark.parametrize(("written", "expected"), [(7, "7"), ("7", "7"), (None, None)])
def test_retry_after_is_seconds_or_nothing(api: Api, written: object, expected: str | None) -> None:
    refuse = {"status": 503, "message": "Down", "retry_after": written}
    api.told("POST", "next", {"apply": {"refuse": refuse}})

    answer = api.try_submit({"input": {"prompt": "x"}})

    assert (answer.status_code, answer.headers.get("retry-after")) == (503, expected)
    assert answer.json() == {"code": 503, "message": "Down", "data": None}
    assert api.told("GET", "tasks") == {"tasks": []}


def test_retry_after_is_a_date_of_the_sandboxs_clock(api: Api) -> None:
    api.advance("3d")
    api.told("POST", "next", {"apply": {"refuse": {"status": 429, "retry_after": "date:7"}}})

    answer = api.try_submit({"input": {"prompt": "x"}})

    now, then = (parsedate_to_datetime(answer.headers[name]) for name in ("date", "retry-after"))
    assert (then - now).total_seconds() == 7


def test_a_429_is_not_counted_and_any_other_refusal_is(api: Api) -> None:
    api.change(rate_limit=3)
    for status in (429, 429, 503, 404):
        api.told("POST", "next", {"apply": {"refuse": {"status": status}}})

    statuses = [api.try_submit({"input": {"prompt": "x"}}).status_code for _ in range(6)]

    assert statuses == [429, 429, 503, 404, 200, 429]


def test_a_403_says_that_the_key_lacks_permission_unless_the_rule_says_more(api: Api) -> None:
    policy = {"status": 403, "message": "Forbidden", "detail": "content violates policy"}
    api.told("POST", "next", {"apply": {"refuse": {"status": 403}}})
    api.told("POST", "next", {"apply": {"refuse": policy}})

    short, long = (api.try_submit({"input": {"prompt": "x"}}) for _ in range(2))

    assert (short.status_code, long.status_code) == (403, 403)
    assert short.json() == {"code": 403, "message": "API key lacks permission", "data": None}
    assert long.json()["message"] == "Forbidden"
    assert long.json()["data"] == {"error": "content violates policy"}
    assert api.told("GET", "tasks") == {"tasks": []}


def test_a_submit_that_fails_at_once_names_its_fail_code_and_costs_nothing(api: Api) -> None:
    before = api.balance()
    api.told("POST", "next", {"apply": {"refuse": {"status": 400, "fail": "NSFW"}}})

    answer = api.try_submit({"input": {"prompt": "x"}})

    message = "The request was flagged as not safe for work"
    assert (answer.status_code, answer.headers["mock-fault"]) == (400, "refuse 400 NSFW")
    assert answer.json() == {
        "code": 400,
        "message": message,
        "data": {"error": f"NSFW: {message}", "failCode": "NSFW", "failMsg": message},
    }
    assert api.told("GET", "tasks") == {"tasks": []}
    assert api.balance() == before


def test_an_error_can_be_sent_without_data(api: Api) -> None:
    refuse = {"status": 401, "message": "Invalid API key", "omit_data": True}
    api.told("POST", "next", {"apply": {"refuse": refuse}})

    answer = api.try_submit({"input": {"prompt": "x"}})

    assert answer.status_code == 401
    assert answer.json() == {"code": 401, "message": "Invalid API key"}


@pytest.mark.parametrize("more", [{"detail": "no"}, {"fail": "NSFW"}], ids=["detail", "fail"])
def test_data_that_a_rule_gives_cannot_be_omitted(api: Api, more: Json) -> None:
    refuse = {"status": 401, "omit_data": True, **more}

    answer = api.control("POST", "next", {"apply": {"refuse": refuse}})

    problem = "apply.refuse.omit_data: cannot be combined with detail or fail"
    assert (answer.status_code, answer.json()["data"]["error"]) == (400, problem)


def test_only_a_submit_can_fail_at_once(api: Api) -> None:
    refuse = {"status": 400, "fail": "NSFW"}
    rule = {"match": {"operation": "status"}, "apply": {"refuse": refuse}}
    unknown = {"apply": {"refuse": refuse | {"fail": "NSWF"}}}

    problems = [
        api.control("PUT", "rules", {"rules": [each]}).json()["data"]["error"]
        for each in (rule, unknown)
    ]

    assert problems == [
        'rules[0].match.operation: "status" does not support refuse 400 NSFW; use submit',
        'rules[0].apply.refuse.fail: "NSWF" is unknown; did you mean "NSFW"?',
    ]


def test_a_rule_that_fails_a_submit_leaves_status_requests_alone(api: Api) -> None:
    task_id = api.submit("x")
    api.told("PUT", "rules", {"rules": [{"apply": {"refuse": {"status": 400, "fail": "NSFW"}}}]})

    assert api.ask(task_id).status_code == 200
    assert api.try_submit({"input": {"prompt": "x"}}).status_code == 400


def test_headers_tell_what_was_injected(api: Api) -> None:
    api.told("PUT", "rules", {"rules": [{"apply": {"latency": "1ms"}}]})

    answer = api.try_submit({"input": {"prompt": "x"}})

    assert (answer.headers["mock-rule"], answer.headers["mock-fault"]) == ("rule-1", "latency")


def test_headers_tell_nothing_without_provenance_and_the_journal_does() -> None:
    with running(Settings(clock="manual", provenance=False)) as mock:
        api = mock.api("key")
        api.told("POST", "next", {"apply": {"refuse": {"status": 503}}})

        answer = api.try_submit({"input": {"prompt": "x"}})

        assert not {name for name in answer.headers if name.startswith("mock-")}
        assert api.told("GET", "journal")["entries"][0]["fault"] == "refuse 503"


def test_a_rule_decides_an_end_after_a_directive_and_before_moderation(api: Api) -> None:
    outcome = {"fail": "NSFW", "message": "ruled", "pending": 0, "processing": "5s"}
    api.told("PUT", "rules", {"rules": [{"apply": {"outcome": outcome}}]})

    directed = api.submit("[[mock fail=MODEL_UNAVAILABLE]]")
    moderated = api.submit("gore")
    api.advance("6s")

    assert api.status(directed)["failCode"] == "MODEL_UNAVAILABLE"
    assert (api.status(moderated)["failCode"], api.status(moderated)["failMsg"]) == (
        "NSFW", "ruled",
    )  # fmt: skip
    assert "rule-1: fail=NSFW message='ruled'" in api.task(moderated)["explain"][0]


def test_next_goes_before_the_rules_and_only_to_what_it_fits(api: Api) -> None:
    api.told("PUT", "rules", {"rules": [{"apply": {"refuse": {"status": 500}}}]})
    api.told("POST", "next", {"apply": {"outcome": {"fail": "NSFW"}}, "count": 2})
    other: Json = {"input": {"prompt": "x"}}

    ids = [api.try_submit(other).json()["data"]["taskId"] for _ in range(2)]

    assert api.ask(ids[0]).status_code == 500
    assert api.try_submit(other).status_code == 500
    assert api.told("GET", "next") == {"next": []}


def test_headers_prompts_and_states_are_matched(api: Api) -> None:
    rules = [
        {"match": {"header": {"X-Test": "yes"}}, "apply": {"refuse": {"status": 418}}},
        {"match": {"prompt_regex": "c[aou]t$"}, "apply": {"refuse": {"status": 404}}},
        {
            "match": {"operation": "status", "state": "processing"},
            "apply": {"refuse": {"status": 502}},
        },
    ]
    api.told("PUT", "rules", {"rules": rules})

    assert (
        api.send("GET", "/api/v1/apikeys/current-balance", headers={"x-TEST": "yes"}).status_code
        == 418
    )
    assert api.try_submit({"input": {"prompt": "a cut"}}).status_code == 404
    task_id = api.submit("cuts [[mock pending=5s]]")
    assert api.ask(task_id).status_code == 200
    api.advance(6)
    assert api.ask(task_id).status_code == 502


def test_a_regex_that_backtracks_for_ever_is_no_match(api: Api) -> None:
    rules = [{"match": {"prompt_regex": "(a|aa)+$"}, "apply": {"refuse": {"status": 404}}}]
    api.told("PUT", "rules", {"rules": rules})

    assert api.try_submit({"input": {"prompt": "a" * 5000 + "b"}}).status_code == 200


def test_headers_name_no_fault_that_was_not_injected(api: Api) -> None:
    api.told("POST", "rules", {"apply": {"outcome": {"fail": "NSFW"}}})
    api.told("POST", "next", {"apply": {"meaning": "unknown-state"}})

    unknown = api.ask("task_of_nobody")
    refused = api.try_submit({"input": {"prompt": ""}})

    assert (unknown.status_code, refused.status_code) == (404, 400)
    assert not {*unknown.headers, *refused.headers} & {"mock-rule", "mock-fault"}
    assert len(api.told("GET", "next")["next"]) == 1
