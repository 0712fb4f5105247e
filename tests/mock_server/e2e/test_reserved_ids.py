"""Task ids that a query must escape: right when encoded, something else when sent raw (STA-1)."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client_reference import Client
from mock_server.settings import Settings
from mock_server.testing.receiver import CallbackReceiver
from mock_server.testing.sandbox import ApixoMock
from tests.mock_server.conftest import Serve
from tests.mock_server.e2e.api import STATUS, Api
from tests.mock_server.e2e.serving import RunningMock

SUFFIX = "+=&?#%2F"
AT_ONCE = "[[mock pending=0 processing=0]] a fox"


@pytest.fixture
def reserved(api: Api) -> Api:
    api.change(task_ids="reserved")
    return api


@pytest.fixture(scope="module")
def asked(mock: RunningMock) -> Iterator[tuple[Api, str]]:
    """Submit one task that many status requests ask for."""
    api = mock.api("sk-reserved-ids")
    api.change(task_ids="reserved")
    yield api, api.submit("[[mock hold]]")
    api.control("DELETE", "sandbox")


def test_the_ids_of_new_tasks_end_with_what_must_be_escaped_and_those_of_old_ones_stay(
    api: Api,
) -> None:
    before = api.submit()
    api.change(task_ids="reserved")
    after = api.submit()
    api.change(task_ids="plain")
    last = api.submit()

    assert [len(task_id) for task_id in (before, last)] == [37, 37]
    assert after == after[:37] + SUFFIX
    assert [api.status(each)["taskId"] for each in (before, after, last)] == [before, after, last]


def test_but_for_its_end_an_id_is_the_one_that_it_would_have_been(api: Api) -> None:
    plain = api.submit()
    api.control("DELETE", "sandbox")
    api.change(task_ids="reserved")

    assert api.submit() == plain + SUFFIX


def test_every_character_of_the_end_changes_what_a_raw_query_says() -> None:
    assert quote(SUFFIX, safe="/") == "%2B%3D%26%3F%23%252F"


@given(st.sets(st.sampled_from("+=&?#%")))
def test_a_task_is_found_only_when_what_means_something_else_is_escaped(
    asked: tuple[Api, str], left_raw: set[str]
) -> None:
    """Of the end, `=` and `?` may stand raw in a value of a query."""
    api, task_id = asked
    written = quote(task_id, safe="".join(left_raw - {"%"}))
    if "%" in left_raw:
        written = written.replace("%25", "%")

    answer = api.http.get(
        f"{STATUS}?taskId={written}", headers={"Authorization": f"Bearer {api.key}"}
    )

    assert answer.status_code == (404 if left_raw & set("+&#%") else 200)


def test_pictures_are_found_at_the_addresses_that_are_told(
    mock: RunningMock, reserved: Api
) -> None:
    task_id = reserved.submit(AT_ONCE, num_images=2)
    urls = reserved.result_urls(task_id)

    assert reserved.task(task_id)["result_urls"] == urls
    for url in urls:
        parts = urlsplit(url)
        assert (parts.query, parts.fragment) == ("", "")
        assert parts.path.split("/")[2] == quote(task_id, safe="")
        assert mock.http.get(url).headers["content-type"] == "image/png"
    unescaped = urls[0].replace(quote(SUFFIX), SUFFIX)
    assert mock.http.get(unescaped).status_code == 404
    assert mock.http.get(urls[0].replace(quote(SUFFIX, safe=""), "")).status_code == 404


def test_a_callback_and_a_forged_one_carry_ids_of_this_form(reserved: Api) -> None:
    with CallbackReceiver.listening() as receiver:
        reserved.told("POST", "next", {"apply": {"callback": "forged-id"}})
        task_id = reserved.submit(callback_url=receiver.url)
        reserved.advance("5m")
        forged, true = (payload["data"]["taskId"] for payload in receiver.payloads)

    assert (true, reserved.delivery(task_id)["state"]) == (task_id, "delivered")
    assert forged.endswith(SUFFIX)
    assert reserved.ask(forged).status_code == 404


def test_control_finds_waits_for_and_ends_a_task_and_shows_its_picture(reserved: Api) -> None:
    task_id = reserved.submit("[[mock hold]]")
    encoded = quote(task_id, safe="")

    assert reserved.control("GET", f"tasks/{encoded}/wait?timeout=0").status_code == 408
    assert reserved.finish(task_id)["state"] == "success"
    assert reserved.told("GET", f"tasks/{encoded}/wait?state=success")["task_id"] == task_id
    assert reserved.control("GET", f"tasks/{encoded}/images/1").content.startswith(b"\x89PNG")
    assert reserved.control("GET", f"tasks/{task_id}").status_code == 404


def test_the_journal_finds_the_entries_of_a_task_and_exports_addresses_that_lead_back(
    mock: RunningMock, reserved: Api
) -> None:
    reserved.submit()
    task_id = reserved.submit(AT_ONCE)
    [url] = reserved.result_urls(task_id)
    mock.http.get(url)

    found = reserved.told("GET", f"journal?task={quote(task_id, safe='')}")["entries"]
    har = reserved.told("GET", "journal?operation=result&format=har")["log"]["entries"]

    assert [entry["operation"] for entry in found] == ["submit", "status", "result"]
    assert reserved.told("POST", "journal/count", {"task": task_id}) == {"count": 3}
    assert mock.http.get(har[0]["request"]["url"]).status_code == 200


def test_a_restored_task_keeps_its_id_and_its_address(
    mock: RunningMock, reserved: Api, other_api: Api
) -> None:
    task_id = reserved.submit(AT_ONCE, callback_url="http://127.0.0.1:9/")
    [url] = reserved.result_urls(task_id)
    taken = reserved.told("GET", "sandbox/snapshot")
    reserved.control("DELETE", "sandbox")

    assert mock.http.get(url).status_code == 404
    assert other_api.control("PUT", "sandbox/snapshot", taken).status_code == 204
    assert other_api.result_urls(task_id) == [url]
    assert mock.http.get(url).status_code == 200
    assert other_api.submit().endswith(SUFFIX)


@pytest.mark.parametrize("end", [SUFFIX * 2, SUFFIX[:-1], "/", '"', "\n"])
def test_a_snapshot_with_ids_of_another_form_is_refused(reserved: Api, end: str) -> None:
    reserved.submit()
    taken = json.dumps(reserved.told("GET", "sandbox/snapshot"))
    other = json.loads(taken.replace(json.dumps(SUFFIX)[1:], json.dumps(end)[1:]))

    answer = reserved.control("PUT", "sandbox/snapshot", other)

    assert answer.status_code == 400
    assert "tasks[0].id: " in answer.json()["data"]["error"]


def test_ended_tasks_make_room_for_new_ones(serve: Serve) -> None:
    mock = serve(Settings(clock="manual", seed=7, task_ids="reserved", max_tasks=2))
    api = mock.api("sk-key")
    first, *others = (api.submit(AT_ONCE) for _ in range(3))

    assert api.ask(first).status_code == 404
    assert [api.ask(task_id).status_code for task_id in others] == [200, 200]


def test_the_reference_client_generates_and_downloads(
    mock: RunningMock, reserved: Api, tmp_path: Path
) -> None:
    reserved.change(generation_time=0)
    with Client(reserved.key, mock.url, sleep=lambda _: None) as client:
        generation = client.generate("a fox", num_images=2)
        files = client.download(generation, tmp_path)

    assert generation.task.id.endswith(SUFFIX)
    assert [file.suffix for file in files] == [".png", ".png"]


def test_the_sandbox_of_a_test_finds_its_tasks(mock: RunningMock) -> None:
    with ApixoMock.begun(mock.url) as sandbox:
        sandbox.configure(task_ids="reserved")
        task_id = mock.api(sandbox.api_key).submit("[[mock hold]]")

        assert sandbox.finish(task_id)["state"] == "success"
        assert sandbox.wait_for(task=task_id, state="success") == sandbox.task(task_id)
        assert sandbox.journal.count("submit", task=task_id) == 1
        assert task_id in sandbox.format_timeline()
