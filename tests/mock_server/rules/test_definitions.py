"""A wrong definition is refused whole, with its path and the nearest known word."""

import pytest

from tests.mock_server.e2e.api import Api, Json

FAIL: Json = {"outcome": {"fail": "NSFW"}}
CLOSE: Json = {"wire": "close"}

WRONG: list[tuple[str, Json, str]] = [
    ("rule", {"aply": FAIL}, 'rules[1].aply: is unknown; did you mean "apply"?'),
    ("no apply", {"match": {}}, "rules[1].apply: is required"),
    ("empty apply", {"apply": {}}, "rules[1].apply: must have one of outcome"),
    ("apply", {"apply": {"wires": "close"}}, 'apply.wires: is unknown; did you mean "wire"?'),
    ("match", {"match": {"promt": "x"}, "apply": FAIL}, "match.promt: is unknown; did you mean"),
    ("operation", {"match": {"operation": "submitt"}, "apply": FAIL}, 'did you mean "submit"?'),
    (
        "misplaced",
        {"match": {"operation": ["submit", "status"]}, "apply": FAIL},
        'match.operation: "status" does not support outcome NSFW; use submit',
    ),
    ("never meet", {"apply": {**FAIL, "callback": "drop"}}, "apply to different operations"),
    (
        "refused outcome",
        {"apply": {**FAIL, "refuse": {"status": 503}}},
        "cannot be combined with outcome or",
    ),
    ("fail code", {"apply": {"outcome": {"fail": "NSWF"}}}, 'outcome.fail: "NSWF" is unknown; did'),
    ("outcome", {"apply": {"outcome": {"fial": "NSFW"}}}, "apply.outcome.fial: is unknown; did"),
    ("duration", {"apply": {"outcome": {"pending": "soon"}}}, "apply.outcome.pending: must be"),
    (
        "status",
        {"apply": {"refuse": {"status": 200}}},
        "refuse.status: must be a whole number",
    ),
    ("no status", {"apply": {"refuse": {"message": "x"}}}, "apply.refuse.status: is required"),
    (
        "retry_after",
        {"apply": {"refuse": {"status": 429, "retry_after": "soon"}}},
        "refuse.retry_after: must be a number of seconds",
    ),
    (
        "wire",
        {"apply": {"wire": "closed"}},
        'apply.wire: "closed" is unknown; did you mean',
    ),
    ("meaning", {"apply": {"meaning": "unknown-stat"}}, 'did you mean "unknown-state"?'),
    ("callback", {"apply": {"callback": "dropp"}}, 'did you mean "drop"?'),
    ("bare duplicate", {"apply": {"callback": "duplicate"}}, 'must be written {"duplicate": 3}'),
    ("no copies", {"apply": {"callback": {"duplicate": 0}}}, "callback.duplicate: must be"),
    (
        "latency",
        {"apply": {"latency": {"uniform": ["2s", "1s"]}}},
        "latency.uniform: must have the shorter",
    ),
    ("long latency", {"apply": {"latency": "2h"}}, "apply.latency: must be at most 1h"),
    ("lognormal", {"apply": {"latency": {"lognormal": {"median": "1s"}}}}, "sigma: is required"),
    ("nth", {"match": {"nth": "4..2"}, "apply": CLOSE}, "match.nth: must be a number from 1"),
    ("times", {"match": {"times": 0}, "apply": CLOSE}, "match.times: must be a whole number"),
    ("probability", {"match": {"probability": 1.5}, "apply": CLOSE}, "match.probability: must be"),
    ("state", {"match": {"state": "sucess"}, "apply": CLOSE}, 'did you mean "success"?'),
    (
        "state of a submit",
        {"match": {"state": "success"}, "apply": FAIL},
        "match.state: is only allowed with",
    ),
    ("attempt", {"match": {"attempt": 1}, "apply": CLOSE}, "match.attempt: is only allowed with"),
    (
        "regex",
        {"match": {"prompt_regex": "(a"}, "apply": FAIL},
        "match.prompt_regex: is no",
    ),
    (
        "too many headers",
        {"match": {"header": {f"X-{number}": "y" for number in range(21)}}, "apply": CLOSE},
        "match.header: must be an object of 1 to 20 members",
    ),
    (
        "long name of a header",
        {"match": {"header": {"X" * 201: "y"}}, "apply": CLOSE},
        "match.header: has a member whose name is not a string of at most 200 characters",
    ),
    ("header", {"match": {"header": {"X": 1}}, "apply": CLOSE}, "match.header.X: must be a string"),
]


@pytest.mark.parametrize(
    ("rule", "problem"), [pytest.param(rule, told, id=name) for name, rule, told in WRONG]
)
def test_a_wrong_rule_is_named_and_changes_nothing(api: Api, rule: Json, problem: str) -> None:
    before = api.told("PUT", "rules", {"rules": [{"apply": FAIL}]})

    refused = api.control("PUT", "rules", {"rules": [{"apply": CLOSE}, rule]})
    added = api.control("POST", "rules", rule)

    assert refused.status_code == added.status_code == 400
    assert problem in refused.json()["data"]["error"]
    assert api.told("GET", "rules") == before


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"apply": FAIL, "count": 0}, "count: must be a whole number from 1"),
        ({"aply": FAIL}, 'aply: is unknown; did you mean "apply"?'),
        ({"apply": {"wires": 1}}, "apply.wires: is unknown"),
        ({}, "Missing required field: apply"),
    ],
)
def test_a_wrong_next_is_named_and_queues_nothing(api: Api, body: Json, problem: str) -> None:
    refused = api.control("POST", "next", body)

    assert refused.status_code == 400
    assert problem in refused.json()["data"]["error"]
    assert api.told("GET", "next") == {"next": []}


def test_what_is_shown_can_be_put_back(api: Api) -> None:
    rules: list[Json] = [
        {"match": {"prompt": "cat", "nth": "2..4"}, "apply": FAIL},
        {"match": {"operation": "status"}, "apply": {"refuse": {"status": 429}}},
    ]
    shown = api.told("PUT", "rules", {"rules": rules})["rules"]

    again = api.told("PUT", "rules", {"rules": shown})["rules"]
    assert [{name: each[name] for name in ("match", "apply")} for each in again] == rules
    assert api.told("DELETE", "rules")["rules"] == []


def test_the_whole_answer_can_be_put_back_the_profile_is_ignored(api: Api) -> None:
    api.told("POST", "rules", {"apply": CLOSE})

    assert api.told("PUT", "rules", api.told("GET", "rules"))["rules"][0]["apply"] == CLOSE


@pytest.mark.parametrize("name", ["nth", "times", "times_each", "probability"])
def test_next_takes_no_counting_of_its_own(api: Api, name: str) -> None:
    refused = api.control("POST", "next", {"apply": CLOSE, "match": {name: 1}})

    assert refused.status_code == 400
    assert f"match.{name}: is not allowed in next" in refused.json()["data"]["error"]


@pytest.mark.parametrize("nth", ["1" + "0" * 5000, "1000000000999", "0", "every 0", "3..2"])
def test_no_number_is_too_long_to_be_refused(api: Api, nth: str) -> None:
    refused = api.control("POST", "rules", {"match": {"nth": nth}, "apply": CLOSE})

    assert refused.status_code == 400


@pytest.mark.parametrize("pattern", ["((a{1000}){1000}){1000}", "(a{1,200}){100}"])
def test_a_regex_that_would_fill_the_memory_is_refused(api: Api, pattern: str) -> None:
    refused = api.control("POST", "rules", {"match": {"prompt_regex": pattern}, "apply": FAIL})

    assert "the product of its repetition counts" in refused.json()["data"]["error"]


@pytest.mark.parametrize(
    ("pattern", "prompt", "is_match"),
    [
        ("(?:fox){e<=2}", "a fix in the snow", False),
        ("(?:fox){e<=2}", "a fox{e<=2}", True),
        (r"a\{2}", "a{2}", True),
        ("[{]x", "{x", True),
        ("^a{2,3}$", "aaa", True),
        ("[[:alpha:]]", "x:]", True),  # Python warns about it; the server does not log that.
    ],
)
def test_a_regex_means_what_it_means_in_python(
    api: Api, pattern: str, prompt: str, *, is_match: bool
) -> None:
    rule = {"match": {"prompt_regex": pattern}, "apply": {"refuse": {"status": 418}}}
    api.told("POST", "rules", rule)

    answer = api.try_submit({"input": {"prompt": prompt}})

    assert (answer.status_code == 418) is is_match
