"""A restored sandbox answers as the old one would."""

import json
from itertools import count
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mock_server.settings import Settings
from tests.mock_server.e2e.api import Api, Json
from tests.mock_server.e2e.receiver import Receiver
from tests.mock_server.e2e.serving import RunningMock, running
from tests.properties import examples

_numbers = count()

steps = st.lists(
    st.one_of(
        st.tuples(
            st.just("submit"),
            st.sampled_from(["a", "[[mock fail=NSFW]]", "[[mock polls=2]]", "[[mock hold]]"]),
        ),
        st.tuples(st.just("call"), st.just("http://127.0.0.1:9/")),
        st.tuples(st.just("poll"), st.integers(0, 5)),
        st.tuples(st.just("advance"), st.sampled_from([1, 10, 40, 100_000])),
        st.tuples(st.just("rule"), st.sampled_from(["every 2", 1])),
        st.tuples(st.just("next"), st.integers(1, 2)),
        st.tuples(st.just("limit"), st.integers(1, 6)),
    ),
    max_size=12,
)


def live(api: Api, history: list[tuple[str, Any]]) -> None:
    for step, value in history:
        ids = [task["task_id"] for task in api.told("GET", "tasks")["tasks"]]
        if step == "submit":
            api.try_submit({"input": {"prompt": value}})
        elif step == "call":
            order = {"request_type": "callback", "callback_url": value}
            api.try_submit({**order, "input": {"prompt": "x"}})
        elif step == "poll" and value < len(ids):
            api.ask(ids[value])
        elif step == "advance":
            api.advance(value)
        elif step == "rule":
            rule = {"match": {"nth": value}, "apply": {"refuse": {"status": 503}}}
            api.told("POST", "rules", rule)
        elif step == "next":
            api.told("POST", "next", {"apply": {"outcome": {"fail": "NSFW"}}, "count": value})
        elif step == "limit":
            api.change(rate_limit=value, max_concurrent=value)


def future(api: Api) -> list[Any]:
    """Return all that can be seen while living on for a while."""
    seen: list[Any] = []
    for _ in range(2):
        seen.append(api.try_submit({"input": {"prompt": "x"}}).json())
        for task in api.told("GET", "tasks")["tasks"]:
            answer = api.ask(task["task_id"])
            seen.append((answer.status_code, answer.headers.get("retry-after"), answer.text))
        seen.append(api.told("POST", "clock/advance", {"seconds": 45}))
        seen.append([task["explain"] for task in _details(api)])
        counters = api.counters()
        seen.append({name: counters[name] for name in counters if name != "journal_bytes"})
    return seen


def _details(api: Api) -> list[Json]:
    return [api.task(task["task_id"]) for task in api.told("GET", "tasks")["tasks"]]


@examples(25)
@given(steps)
def test_any_history_goes_on_as_it_would_have_gone(
    mock: RunningMock, history: list[tuple[str, Any]]
) -> None:
    number = next(_numbers)
    old, new = mock.api(f"old-{number}"), mock.api(f"new-{number}")
    live(old, history)
    taken = old.told("GET", "sandbox/snapshot")
    assert new.control("PUT", "sandbox/snapshot", taken).status_code == 204

    assert new.told("GET", "sandbox/snapshot") == taken | {"id": new.told("GET", "sandbox")["id"]}
    assert future(new) == future(old)


def test_it_goes_on_in_a_server_with_another_seed(mock: RunningMock, tmp_path: Path) -> None:
    old = mock.api("old-of-another-seed")
    live(old, [("submit", "a"), ("advance", 40), ("submit", "[[mock polls=2]]"), ("poll", 0)])
    file = tmp_path / "snapshot.json"
    file.write_text(json.dumps(old.told("GET", "sandbox/snapshot")))
    done = old.told("GET", "tasks?state=success")["tasks"][0]["result_urls"][0]
    picture = mock.http.get(done).content

    with running(Settings(clock="manual", seed=99, restore=str(file))) as other:
        new = other.api(old.key)
        assert other.http.get(done.removeprefix(mock.url)).content == picture
        told = json.dumps(future(new)).replace(other.host, mock.host)
        assert json.loads(told) == json.loads(json.dumps(future(old)))


def test_what_is_no_snapshot_is_refused_and_changes_nothing(api: Api) -> None:
    task_id = api.submit()
    taken = api.told("GET", "sandbox/snapshot")
    wrong: list[Json] = [
        {},
        taken | {"version": 2},
        taken | {"more": 1},
        taken | {"tasks": [taken["tasks"][0] | {"id": "task_1"}]},
        taken | {"tasks": taken["tasks"] * 2},
        taken | {"tasks": [taken["tasks"][0] | {"ratio": "9:1"}]},
        taken | {"tasks": [taken["tasks"][0] | {"num_images": 3}]},
        taken | {"tasks": [taken["tasks"][0] | {"plan": {"start_ms": 2, "end_ms": 1}}]},
        taken | {"now_ms": 2**60},
        taken | {"rules": taken["rules"] | {"own": [{"id": "r", "written": {"apply": 1}}]}},
    ]

    answers = [api.control("PUT", "sandbox/snapshot", each) for each in wrong]

    assert {answer.status_code for answer in answers} == {400}
    assert all(
        "body: is not a valid snapshot; " in answer.json()["data"]["error"] for answer in answers
    )
    assert api.status(task_id)["state"] == "pending"


def without_injected(document: Json) -> Json:
    """Return a snapshot as it was written before it had the values of what was injected."""
    for entry in document["journal"]:
        del entry["injected"]
    return document


def with_faults(api: Api) -> Json:
    order = {"request_type": "callback", "callback_url": "http://127.0.0.1:9/"}
    api.told("POST", "rules", {"apply": {"callback": "reorder"}})
    api.told("POST", "rules", {"apply": {"latency": 0, "outcome": {"processing": 1}}})
    api.try_submit({**order, "input": {"prompt": "x"}})
    api.advance(20)
    return api.told("GET", "sandbox/snapshot")


def test_snapshot_without_values_of_faults_is_restored_with_them(api: Api) -> None:
    document = with_faults(api)
    before = api.told("GET", "sandbox/snapshot")
    faults = [(each["fault"], each["injected"]) for each in document["journal"]]
    assert ("outcome steered, latency", OUTCOME_AND_LATENCY) in faults

    put = api.control("PUT", "sandbox/snapshot", without_injected(document))

    assert put.status_code == 204
    restored = api.told("GET", "sandbox/snapshot")
    assert restored["deliveries"] == before["deliveries"]
    assert [(each["fault"], each["injected"]) for each in restored["journal"]] == faults


def test_delivery_in_snapshot_has_only_members_of_version_1(api: Api, receiver: Receiver) -> None:
    """Servers before the redesign know no others; they have no delivery that waits for another."""
    api.told("POST", "next", {"apply": {"callback": {"delay": "60s"}}})
    api.submit("[[mock processing=1s]]", callback_url=receiver.url())
    api.submit("[[mock processing=1s]]", callback_url=receiver.url())
    api.advance(20)

    members = {"task_id", "url", "state", "due_ms", "attempts", "ruled", "put_off_by"}
    delayed, delivered = api.told("GET", "sandbox/snapshot")["deliveries"]
    assert delayed.keys() == delivered.keys() == members
    assert delayed["put_off_by"] == ["next-1", "callback delay"]


OUTCOME_AND_LATENCY = [
    {"kind": "outcome", "name": "steered"},
    {"kind": "latency", "name": ""},
]


def test_snapshot_that_names_an_unknown_fault_is_rejected(api: Api) -> None:
    document = without_injected(with_faults(api))
    document["journal"][0]["fault"] = "fire everywhere"

    answer = api.control("PUT", "sandbox/snapshot", document)

    assert answer.status_code == 400
    assert "journal[0].fault: names an unknown fault" in answer.json()["data"]["error"]
