"""Control of the caller's sandbox: settings, counters, dropping."""

import pytest

from tests.mock_server.e2e.api import STATUS, Api

DEFAULTS = {
    "rate_limit": 10_000,
    "max_concurrent": 1_000,
    "generation_time": 30,
    "balance": 100_000,
    "profile": "calm",
    "image_urls": "trust",
    "strict": False,
    "insufficient_credits_status": 400,
    "retry_after": True,
    "task_ids": "plain",
}
CHANGES = {
    "rate_limit": 7,
    "max_concurrent": 3,
    "generation_time": 2.5,
    "balance": 12.5,
    "profile": "calm",
    "image_urls": "fetch",
    "strict": True,
    "insufficient_credits_status": 402,
    "retry_after": False,
    "task_ids": "reserved",
}
WRONG: dict[str, list[object]] = {
    "rate_limit": [0, -1, 1.5, "many", True, 10**12],
    "max_concurrent": [0, "1", []],
    "generation_time": [-1, "soon", "1 fortnight", True, "-2s", 1e300],
    "balance": [-0.01, "1", 1e300],
    "profile": ["wild", "", 1],
    "image_urls": ["maybe", 1],
    "strict": [1, "true"],
    "insufficient_credits_status": [403, "402"],
    "retry_after": ["no", 0],
    "task_ids": ["odd", 1],
}
ROWS = [
    pytest.param(name, value, id=f"{name}={value!r}")
    for name, values in WRONG.items()
    for value in values
]


def test_the_sandbox_shows_a_hash_its_settings_and_its_counters(api: Api) -> None:
    shown = api.told("GET", "sandbox")

    assert shown["id"]
    assert shown["id"] not in api.key
    assert shown["settings"].items() >= DEFAULTS.items()
    assert shown["counters"]["requests"] == 0
    assert shown["counters"]["live_tasks"] == 0
    assert shown["counters"]["balance"] == 100_000


@pytest.mark.parametrize(("name", "value"), CHANGES.items(), ids=CHANGES)
def test_one_setting_can_be_changed_and_the_others_stay(api: Api, name: str, value: object) -> None:
    answer = api.change(**{name: value})

    assert answer["settings"].items() >= (DEFAULTS | {name: value}).items()
    assert api.told("GET", "sandbox") == answer


def test_all_settings_can_be_changed_at_once(api: Api) -> None:
    assert api.change(**CHANGES)["settings"].items() >= CHANGES.items()


@pytest.mark.parametrize(
    ("written", "seconds"), [("500ms", 0.5), ("2s", 2), ("3m", 180), (2.5, 2.5), (0, 0)]
)
def test_a_duration_may_be_written_with_its_unit(api: Api, written: object, seconds: float) -> None:
    assert api.change(generation_time=written)["settings"]["generation_time"] == seconds


@pytest.mark.parametrize(("name", "value"), ROWS)
def test_a_wrong_value_is_refused_by_its_path_and_nothing_changes(
    api: Api, name: str, value: object
) -> None:
    answer = api.control("PATCH", "sandbox", {"max_concurrent": 5} | {name: value})

    assert (answer.status_code, answer.json()["code"]) == (400, 400)
    assert answer.json()["data"]["error"].startswith(f"{name}: ")
    assert api.told("GET", "sandbox")["settings"].items() >= DEFAULTS.items()


@pytest.mark.parametrize(
    ("member", "nearest"),
    [("rate_limt", "rate_limit"), ("Strict", "strict"), ("retryAfter", "retry_after")],
)
def test_an_unknown_member_is_refused_and_the_nearest_known_is_named(
    api: Api, member: str, nearest: str
) -> None:
    answer = api.control("PATCH", "sandbox", {member: 5})

    assert answer.status_code == 400
    assert answer.json()["data"]["error"] == f'{member}: is unknown; did you mean "{nearest}"?'


@pytest.mark.parametrize(
    "content",
    [b"[]", b"null", b"5", b"{", b'{"balance":NaN}', b"\xff", b'{"a":' * 100_000, b"{}{}"],
    ids=["array", "null", "number", "cut", "nan", "no-utf-8", "deep", "two"],
)
def test_a_body_that_is_no_json_object_is_refused(api: Api, content: bytes) -> None:
    answer = api.send("PATCH", "/_mock/sandbox", content=content)

    assert answer.status_code == 400
    assert answer.json()["data"]["error"]


def test_a_body_without_end_is_refused(api: Api) -> None:
    answer = api.send("PATCH", "/_mock/sandbox", content=b" " * 2_000_000)

    assert (answer.status_code, answer.json()["code"]) == (413, 413)


def test_the_counters_count(api: Api) -> None:
    api.change(max_concurrent=3, balance=100)
    succeeding, failing = api.submit(num_images=2), api.submit("gore")
    api.submit("[[mock hold]]")
    api.try_submit({"input": {"prompt": "one too many"}})
    api.send("GET", STATUS)
    api.advance("3m")
    api.ask(succeeding)
    api.ask(failing)

    counters = api.counters()

    assert counters["requests"] == 6  # what was answered 429 is not counted, LIM-4
    assert counters["refused"] == 1
    assert (counters["tasks"]["success"], counters["tasks"]["failed"]) == (1, 1)
    assert counters["live_tasks"] == 1
    assert counters["balance"] == 99.895
    assert counters["journal_entries"] == 7
    assert counters["journal_bytes"] > 0
    assert counters["journal_dropped"] == 0


def test_a_dropped_sandbox_begins_again_as_it_began(api: Api) -> None:
    began = api.told("GET", "sandbox")
    first = [api.submit() for _ in range(3)]
    api.change(rate_limit=4, generation_time=1)
    api.advance("100d")
    dropped = api.control("DELETE", "sandbox")

    assert (dropped.status_code, dropped.content) == (204, b"")
    assert api.told("GET", "sandbox") == began
    assert api.told("GET", "tasks") == {"tasks": []}
    assert [api.submit() for _ in range(3)] == first


def test_a_removed_sandbox_is_not_listed_and_begins_again_as_it_began(api: Api) -> None:
    began = api.told("GET", "sandbox")
    first = [api.submit() for _ in range(3)]
    api.change(rate_limit=4)
    removed = api.control("DELETE", "sandbox?remove=true")
    listed = api.http.get("/_mock/sandboxes").json()["sandboxes"]

    assert (removed.status_code, removed.content) == (204, b"")
    assert began["id"] not in {each["id"] for each in listed}
    assert api.told("GET", "sandbox") == began
    assert [api.submit() for _ in range(3)] == first


def test_an_unknown_way_to_remove_a_sandbox_is_400(api: Api) -> None:
    assert api.control("DELETE", "sandbox?remove=perhaps").status_code == 400
    assert api.control("DELETE", "sandbox?keep=true").status_code == 400


def test_a_dropped_sandbox_has_no_results_any_more(api: Api) -> None:
    [url] = api.result_urls(api.submit("[[mock pending=0 processing=0]]"))
    api.control("DELETE", "sandbox")

    assert api.http.get(url).status_code == 404


def test_new_settings_are_for_new_tasks(api: Api) -> None:
    before = api.submit()
    plan = api.task(before)["plan"]
    api.change(generation_time=1)
    after = api.submit()
    api.advance(3)

    assert api.task(before)["plan"] == plan
    assert api.status(after)["state"] == "success"


def test_counters_have_the_number_of_responses_by_status(api: Api) -> None:
    """A rule, a limit and an invalid body all reject; callbacks are no requests of the client."""
    api.told("POST", "next", {"apply": {"refuse": {"status": 503}}})
    assert api.try_submit({}).status_code == 503
    assert api.try_submit({}).status_code == 400
    api.submit(callback_url="http://127.0.0.1:9/")
    api.change(rate_limit=1)
    assert api.try_submit({}).status_code == 429

    api.advance("2m")
    assert api.counters()["responses"] == {"503": 1, "400": 1, "200": 1, "429": 1}
    snapshot = api.told("GET", "sandbox/snapshot")
    api.control("DELETE", "sandbox")
    assert api.counters()["responses"] == {}
    assert api.control("PUT", "sandbox/snapshot", snapshot).status_code == 204
    assert api.counters()["responses"] == {"503": 1, "400": 1, "200": 1, "429": 1}


def test_snapshot_of_an_older_version_without_responses_is_restored(api: Api) -> None:
    api.submit()
    snapshot = api.told("GET", "sandbox/snapshot")
    del snapshot["responses"]

    assert api.control("PUT", "sandbox/snapshot", snapshot).status_code == 204

    assert api.counters()["requests"] == 1
