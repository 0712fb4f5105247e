"""Checkpoints are written in small slices, and loaded sandboxes share what is equal."""

import msgspec

from mock_server.domain.commands import (
    ExpectCallback,
    RecordExchange,
    Submit,
)
from mock_server.domain.journal import Entry
from mock_server.domain.operation import Operation
from mock_server.domain.planner import DEFAULT_REQUEST, SUCCESS_BY_DEFAULT
from mock_server.domain.results import TaskView
from mock_server.domain.sandbox.sandbox import Sandbox
from mock_server.domain.submission import Submission
from tests.mock_server.domain.checkpoints import (
    EVERY_THIRD,
    OTHER_SERVER,
    TEMPLATE,
    saved,
)
from tests.mock_server.domain.driven import ID, SETTINGS
from tests.mock_server.domain.strategies import NOW_MS


def with_tasks(count: int, prompt: str = "a fox") -> Sandbox:
    """Return a sandbox with callback tasks and with a journal entry for each."""
    settings = msgspec.structs.replace(SETTINGS, max_concurrent=count, rate_limit=count)
    settings = msgspec.structs.replace(settings, balance_microusd=10**12)
    template = msgspec.structs.replace(TEMPLATE, settings=settings)
    sandbox = Sandbox(ID, template, is_broke=False, real_ms=NOW_MS)
    url = "http://127.0.0.1/hook"
    submission = Submission(prompt=prompt, ratio="1:1", num_images=1, callback_url=url)
    headers = ((b"authorization", b"Bearer [redacted]"), (b"accept", b"*/*"))
    for number in range(count):
        view = sandbox.apply(
            Submit(
                real_ms=NOW_MS + number,
                model_id="gpt-image-1",
                submission=submission,
                plan_request=DEFAULT_REQUEST,
                base_url="http://mock",
            )
        )
        assert isinstance(view, TaskView)
        task_id = view.task.id
        sandbox.apply(ExpectCallback(real_ms=NOW_MS + number, task_id=task_id))
        entry = Entry(
            NOW_MS, NOW_MS, Operation.SUBMIT, task_id, 200, 5, b"{}", b"{}", headers=headers
        )
        sandbox.apply(RecordExchange(real_ms=NOW_MS + number, entry=entry))
    return sandbox


def test_sandbox_from_a_checkpoint_shares_what_tasks_and_entries_have_in_common() -> None:
    sandbox = Sandbox.of_checkpoint(saved(with_tasks(2500)), OTHER_SERVER)

    tasks, _ = sandbox.tasks(NOW_MS)
    assert len({id(task.order) for task in tasks}) == 1
    assert {id(task.ending) for task in tasks} == {id(SUCCESS_BY_DEFAULT)}
    ids = {task.id: task.id for task in tasks}
    assert all(each.task_id is ids[each.task_id] for each in sandbox.deliveries())
    entries = [entry for _, entry in sandbox.entries()]
    assert len({id(entry.headers) for entry in entries}) < 5


def test_sandboxes_from_checkpoints_share_the_values_of_their_server() -> None:
    template = msgspec.structs.replace(OTHER_SERVER, rules=(EVERY_THIRD,))
    raw = saved(Sandbox(ID, template, is_broke=False, real_ms=NOW_MS))

    one, other = Sandbox.of_checkpoint(raw, template), Sandbox.of_checkpoint(raw, template)

    assert one.settings is template.settings
    assert one.rules()[0][0].definition is other.rules()[0][0].definition


def test_slices_of_a_checkpoint_are_small() -> None:
    slices = list(with_tasks(2500, prompt="a long story " * 500).checkpoint())

    assert len(slices) > 10
    assert max(map(len, slices)) < 2 * 1024 * 1024
