"""Handlers of the commands behind client requests: limits, price, tasks, journal."""

from functools import lru_cache

import msgspec

from mock_server.domain.catalogue import Model
from mock_server.domain.commands import (
    AnswerStatus,
    CountRequest,
    ReadStatus,
    RecordExchange,
    Submit,
    TrimJournal,
)
from mock_server.domain.errors import SandboxChanged
from mock_server.domain.ledger import price_microusd
from mock_server.domain.operation import Operation
from mock_server.domain.planner import planned_times
from mock_server.domain.results import BalanceView, Rejection, RejectionReason, TaskView
from mock_server.domain.sandbox.state import SandboxState
from mock_server.domain.task import Order, Task, state_at

_CALLBACK = Operation.CALLBACK  # In Python 3.11, the access to a member of an enum is slow.


def submit(state: SandboxState, command: Submit) -> TaskView | Rejection:
    if command.known_changes is not None:
        state.check_unchanged(command.known_changes)
    now_ms = state.enter(command.real_ms)
    ledger = state.ledger
    while ledger.live >= state.settings.max_concurrent:  # LIM-4: a 429 is not counted.
        if not state.settle_more(now_ms):
            return _over_concurrency(state, now_ms)
    if not state.window.admit(now_ms):
        return _over_rate(state, now_ms)
    state.requests += 1
    model = state.template.models[command.model_id]
    submission = command.submission
    order = _shared_order(
        model.id,
        model.price_usd,
        submission.ratio,
        submission.num_images,
        command.base_url,
        submission.callback_url,
        command.plan_request.has_directives,
    )
    while ledger.balance_microusd < order.price_microusd:
        if not state.settle_more(now_ms):  # A task that has failed may be refunded.
            return Rejection(RejectionReason.CREDITS, now_ms)
    if not command.has_room:
        return Rejection(RejectionReason.NO_ROOM, now_ms)
    state.ordinal += 1
    task = _new_task(state, command, model, order, now_ms)
    state.tasks[task.id] = task
    ledger.open(task)
    return TaskView(task, now_ms)


def read_status(state: SandboxState, command: ReadStatus) -> TaskView | Rejection:
    if command.known_changes is not None:
        state.check_unchanged(command.known_changes)
    now_ms = state.enter(command.real_ms)
    if not state.window.admit(now_ms):
        return _over_rate(state, now_ms)
    state.requests += 1
    task = state.tasks.get(command.task_id)
    if task is None or task.order.model_id != command.model_id:  # STA-2, STA-11
        return Rejection(RejectionReason.UNKNOWN_TASK, now_ms)
    if task.end_ms is None and task.ending.polls:
        return _polled(state, task, now_ms)
    return TaskView(task, now_ms)


def count_request(state: SandboxState, command: CountRequest) -> BalanceView | Rejection:
    if command.known_changes is not None:
        state.check_unchanged(command.known_changes)
    now_ms = state.enter(command.real_ms)
    if not state.window.admit(now_ms):
        return _over_rate(state, now_ms)
    state.requests += 1
    return BalanceView(now_ms, state.ledger.balance_at(now_ms))


def record_exchange(state: SandboxState, command: RecordExchange) -> int:
    entry = command.entry
    if entry.operation is not _CALLBACK:
        state.used_ms = command.real_ms  # A rule may have rejected it without another command.
        state.responses[entry.status] += 1
    return state.journal.add(entry)


def trim_journal(state: SandboxState, command: TrimJournal) -> int:
    return state.journal.trim(command.max_bytes)


def answer_status(state: SandboxState, command: AnswerStatus) -> int:
    if command.known_changes is not None:
        state.check_unchanged(command.known_changes)
    entry = command.entry
    now_ms = state.clock.now_ms(command.real_ms)
    task = state.tasks.get(entry.task_id)
    if (
        task is None
        or task.order.model_id != command.model_id
        or task.ends_by_polls
        or state_at(task, now_ms) is not command.state
        or now_ms // 1000 != entry.at_ms // 1000
        or not state.window.admit(now_ms)  # Without an effect if it returns False.
    ):
        raise SandboxChanged("the response to the status request has changed meanwhile")
    state.enter(command.real_ms)
    state.requests += 1
    state.responses[entry.status] += 1
    if entry.at_ms != now_ms:
        entry = msgspec.structs.replace(entry, at_ms=now_ms)
    return state.journal.add(entry)


def _polled(state: SandboxState, task: Task, now_ms: int) -> TaskView:
    """Count a status request for a task that ends at the n-th one, and end it if this is it."""
    task = task.polled()
    state.tasks[task.id] = task
    if task.polls_seen < task.ending.polls:
        return TaskView(task, now_ms)
    return TaskView(state.end_task(task, now_ms), now_ms, ends_now=True)


@lru_cache(maxsize=1000)  # A million tasks share the same few orders in memory.
def _shared_order(
    model_id: str,
    price_usd: float,
    ratio: str,
    num_images: int,
    base_url: str,
    callback_url: str | None,
    has_directives: bool,  # noqa: FBT001  # A keyword would double the time of a look-up.
) -> Order:
    return Order(
        model_id=model_id,
        ratio=ratio,
        num_images=num_images,
        price_microusd=price_microusd(price_usd, num_images),
        base_url=base_url,
        callback_url=callback_url,
        has_directives=has_directives,
    )


def _new_task(
    state: SandboxState, command: Submit, model: Model, order: Order, now_ms: int
) -> Task:
    """Return the sandbox's next task with its id and its plan."""
    drawn = state.task_draws.take(state.ordinal, model, state.settings)
    plan_request = command.plan_request
    start_ms, end_ms = planned_times(plan_request, drawn.durations_ms, now_ms)
    return Task(
        end_ms=end_ms,
        ordinal=state.ordinal,
        id=drawn.id,
        prompt=command.submission.prompt,
        created_ms=now_ms - 0,  # A compact integer; see `planned_times`.
        start_ms=start_ms,
        order=order,
        ending=plan_request.ending,
    )


def _over_rate(state: SandboxState, now_ms: int) -> Rejection:
    state.rejected += 1
    return Rejection(RejectionReason.RATE_LIMIT, now_ms, state.window.wait_ms(now_ms))


def _over_concurrency(state: SandboxState, now_ms: int) -> Rejection:
    if state.window.wait_ms(now_ms) > 0:
        return _over_rate(state, now_ms)
    state.rejected += 1
    next_end_ms = state.ledger.next_end_ms()
    wait_ms = 0 if next_end_ms is None else next_end_ms - now_ms
    return Rejection(RejectionReason.CONCURRENCY, now_ms, wait_ms)
