"""The sandbox of a test, and a server in the process of the test."""

from collections import Counter
from contextlib import suppress

import httpx
import pytest

import mock_server
from mock_server.testing.control import ControlError, WaitTimeout
from mock_server.testing.sandbox import ApixoMock
from tests.mock_server.e2e.serving import RunningMock
from tests.patience import PATIENCE_S


def test_sandboxes_of_two_tests_are_separate(mock: RunningMock) -> None:
    with ApixoMock.begun(mock.url, name="one") as one, ApixoMock.begun(mock.url, name="two") as two:
        mock.api(one.api_key).submit()

        assert (len(one.tasks), len(two.tasks)) == (1, 0)
        assert Counter([one.journal.count(), two.journal.count()]) == {1: 1, 0: 1}


def test_sandboxes_without_a_seed_share_no_task_ids(mock: RunningMock) -> None:
    with ApixoMock.begun(mock.url) as one, ApixoMock.begun(mock.url) as two:
        assert mock.api(one.api_key).submit() != mock.api(two.api_key).submit()


def test_a_sandbox_is_deleted_after_its_test(mock: RunningMock) -> None:
    with ApixoMock.begun(mock.url) as sandbox:
        api = mock.api(sandbox.api_key)
        api.submit()

    assert api.told("GET", "tasks") == {"tasks": []}


def test_a_sandbox_is_deleted_when_its_block_raises(mock: RunningMock) -> None:
    with suppress(ZeroDivisionError), ApixoMock.begun(mock.url) as sandbox:
        mock.api(sandbox.api_key).submit()
        _ = 1 / 0

    assert mock.api(sandbox.api_key).told("GET", "tasks") == {"tasks": []}


def test_advancing_by_less_than_a_millisecond_moves_nothing(mock: RunningMock) -> None:
    with ApixoMock.begun(mock.url) as sandbox:
        began_ms = sandbox.now_ms

        assert sandbox.advance(0) == sandbox.advance(0.0001) == []
        assert sandbox.now_ms == began_ms


def test_tasks_and_journal_return_all_tasks_and_entries(mock: RunningMock) -> None:
    with ApixoMock.begun(mock.url) as sandbox:
        api = mock.api(sandbox.api_key)
        for _ in range(101):
            api.submit()
        for _ in range(900):
            api.balance()

        assert len(sandbox.tasks) == 101
        assert len(list(sandbox.journal)) == len(sandbox.journal) == 1001


def test_the_timeline_has_the_transitions_and_not_the_key(mock: RunningMock) -> None:
    with ApixoMock.begun(mock.url) as sandbox:
        task_id = mock.api(sandbox.api_key).submit(prompt=f"{'x' * 30}{sandbox.api_key}\x1b[31m")
        sandbox.advance("2m")
        timeline = sandbox.format_timeline()

    assert f"---  {task_id} is processing" in timeline
    assert f"---  {task_id} is success" in timeline
    assert sandbox.api_key[:12] not in timeline
    assert "\x1b" not in timeline


def test_wait_for_returns_when_reached_and_raises_with_the_last_state_otherwise(
    mock: RunningMock,
) -> None:
    with ApixoMock.begun(mock.url) as sandbox:
        task_id = mock.api(sandbox.api_key).submit()

        assert len(sandbox.wait_for("submit")) == 1
        assert sandbox.wait_for(task=task_id, state="pending")["state"] == "pending"
        with pytest.raises(WaitTimeout, match=r'"success".*; seen: .*pending'):
            sandbox.wait_for(task=task_id, state="success", timeout=0)


def test_an_invalid_rule_raises_with_the_field_and_a_suggestion(mock: RunningMock) -> None:
    with ApixoMock.begun(mock.url) as sandbox:
        with pytest.raises(ControlError, match=r'wire: "clos" is unknown; did you mean "close"'):
            sandbox.rules.add({"wire": "clos"})

        assert list(sandbox.rules) == []


@pytest.mark.anyio
async def test_running_async_answers_while_the_event_loop_is_blocked() -> None:
    async with mock_server.running_async() as server:
        health = httpx.get(f"{server.base_url}/_mock/health", timeout=PATIENCE_S, trust_env=False)  # noqa: ASYNC210  # on purpose

    assert health.json() == {"status": "ok"}


def test_a_server_that_cannot_start_raises_the_reason() -> None:
    with (
        pytest.raises(Exception, match='"calmer" is unknown'),
        mock_server.running(mock_server.Settings(profile="calmer")),
    ):
        pytest.fail("it runs")
