"""Handlers of the commands of the control plane and the store: tasks, settings, rules, clock."""

import msgspec

from mock_server.domain.commands import (
    AddRule,
    CancelNext,
    ChangeSettings,
    CompleteEarly,
    DropTask,
    FinishTask,
    HoldClock,
    MatchRules,
    MoveClock,
    NoticeEnds,
    PushNext,
    ReadCounters,
    ReleaseClock,
    Reset,
    SetClock,
    SetRules,
)
from mock_server.domain.events import Change
from mock_server.domain.results import (
    ClockReading,
    Counters,
    Rejection,
    RejectionReason,
    TaskView,
)
from mock_server.domain.rule_book import QueuedRule, RuleMatch
from mock_server.domain.sandbox.state import SandboxState
from mock_server.domain.task import state_at


def finish_task(state: SandboxState, command: FinishTask) -> TaskView | Rejection:
    now_ms = state.enter(command.real_ms)
    task = state.tasks.get(command.task_id)
    if task is None:
        return Rejection(RejectionReason.UNKNOWN_TASK, now_ms)
    if state_at(task, now_ms).is_final:
        return Rejection(RejectionReason.TASK_ENDED, now_ms)
    forced = command.fail_code or "success"
    ending = msgspec.structs.replace(
        task.ending,
        fail_code=command.fail_code,
        fail_message=command.fail_message,
        reasons=(f"forced by control: {forced}", *task.ending.reasons),
    )
    ended = state.end_task(msgspec.structs.replace(task, ending=ending), now_ms)
    state.tell(Change.TASK)
    return TaskView(ended, now_ms)


def complete_early(state: SandboxState, command: CompleteEarly) -> None:
    now_ms = state.enter(command.real_ms)
    task = state.tasks.get(command.task_id)
    if task is None:
        return
    reason = f"{command.rule_id}: ends at once; the callback is sent before the submit is answered"
    ending = msgspec.structs.replace(task.ending, reasons=(*task.ending.reasons, reason))
    state.end_task(msgspec.structs.replace(task, ending=ending), now_ms)


def drop_task(state: SandboxState, command: DropTask) -> None:
    if state.tasks.pop(command.task_id, None) is not None:
        state.deliveries.drop(command.task_id)
        state.dropped_tasks += 1


def notice_ends(state: SandboxState, command: NoticeEnds) -> None:
    state.settle(state.clock.now_ms(command.real_ms), command.limit)


def match_rules(state: SandboxState, command: MatchRules) -> RuleMatch | None:
    return state.book.match(state.described(command.rule_input, command.real_ms))


def set_rules(state: SandboxState, command: SetRules) -> None:
    state.book.replace(command.definitions)
    state.tell(Change.SETTINGS)


def add_rule(state: SandboxState, command: AddRule) -> None:
    state.book.add(command.definition)
    state.tell(Change.SETTINGS)


def push_next(state: SandboxState, command: PushNext) -> QueuedRule:
    queued = state.book.put_next(command.definition, command.count)
    state.tell(Change.SETTINGS)
    return queued


def cancel_next(state: SandboxState, command: CancelNext) -> bool:
    is_found = state.book.cancel_next(command.rule_id)
    if is_found:
        state.tell(Change.SETTINGS)
    return is_found


def change_settings(state: SandboxState, command: ChangeSettings) -> None:
    if command.known_changes is not None:
        state.check_unchanged(command.known_changes)
    now_ms = state.enter(command.real_ms)
    settings = command.settings
    if command.profile_rules is not None:
        state.book.replace_profile(settings.profile, command.profile_rules)
    if settings.rate_limit != state.settings.rate_limit:
        state.window.resize(settings.rate_limit)
    if command.balance_microusd is not None:
        state.ledger.set_balance(command.balance_microusd, now_ms)
    state.settings = settings
    state.tell(Change.SETTINGS)


def set_clock(state: SandboxState, command: SetClock) -> ClockReading:
    clock = state.clock
    clock.set(command.mode or clock.mode, command.speed or clock.speed, command.real_ms)
    state.tell(Change.CLOCK)
    return state.clock_reading(command.real_ms)


def hold_clock(state: SandboxState, command: HoldClock) -> int | None:
    if not state.clock.hold(command.owner, command.real_ms):
        return None
    return state.clock.now_ms(command.real_ms)


def move_clock(state: SandboxState, command: MoveClock) -> bool:
    is_moved = state.clock.move_to(command.instant_ms, command.owner)
    if is_moved:
        state.tell(Change.CLOCK)
    return is_moved


def release_clock(state: SandboxState, command: ReleaseClock) -> None:
    state.clock.release(command.owner, command.real_ms)


def read_counters(state: SandboxState, command: ReadCounters) -> Counters:
    state.settle(state.clock.now_ms(command.real_ms))
    return counters_of(state)


def counters_of(state: SandboxState) -> Counters:
    """Return the counters as of the last command that has settled tasks."""
    ledger, journal = state.ledger, state.journal
    return Counters(
        requests=state.requests,
        rejected=state.rejected,
        responses=dict(state.responses),
        succeeded=ledger.succeeded,
        failed=ledger.failed,
        dropped_tasks=state.dropped_tasks,
        live_tasks=ledger.live,
        balance_microusd=ledger.balance_microusd,
        journal_entries=len(journal),
        journal_bytes=journal.bytes,
        journal_dropped=journal.dropped,
    )


def reset(state: SandboxState, command: Reset) -> None:
    state.begin(command.real_ms)
    state.tell(Change.DROPPED)
