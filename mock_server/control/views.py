"""How control shows things: pure functions from the store's values to JSON."""

from collections.abc import Sequence
from typing import Any

from mock_server.domain.deliveries import Delivery
from mock_server.domain.journal import Entry, Operation
from mock_server.domain.ledger import MICRO
from mock_server.domain.sandbox_settings import SandboxSettings
from mock_server.domain.store import Counters
from mock_server.domain.task import Task, TaskState, state_at
from mock_server.web.envelope import ResultUrls

Json = dict[str, Any]


def settings_view(settings: SandboxSettings, default_generation_ms: int) -> Json:
    generation_ms = settings.generation_time_ms
    return {
        "rate_limit": settings.rate_limit,
        "max_concurrent": settings.max_concurrent,
        "generation_time": (
            default_generation_ms if generation_ms is None else generation_ms
        ) / 1000,
        "balance": settings.balance_microusd / MICRO,
        "profile": settings.profile,
        "image_urls": settings.image_urls,
        "image_fail_codes": settings.image_fail_codes,
        "strict": settings.strict,
        "insufficient_credits_status": settings.insufficient_credits_status,
        "retry_after": settings.retry_after,
        "task_ids": settings.task_ids,
    }  # fmt: skip


def counters_view(counters: Counters) -> Json:
    return {
        "requests": counters.requests,
        "refused": counters.refused,
        "tasks": {
            "success": counters.succeeded,
            "failed": counters.failed,
            "dropped": counters.dropped_tasks,
        },
        "live_tasks": counters.live_tasks,
        "balance": counters.balance_microusd / MICRO,
        "journal_entries": counters.journal_entries,
        "journal_bytes": counters.journal_bytes,
        "journal_dropped": counters.journal_dropped,
    }


def task_view(task: Task, now_ms: int, result_urls: ResultUrls) -> Json:
    state = state_at(task, now_ms)
    view: Json = {
        "task_id": task.id,
        "model": task.model_id,
        "state": state,
        "prompt": task.prompt,
        "aspect_ratio": task.ratio,
        "num_images": task.num_images,
        "request_type": "callback" if task.callback_url else "async",
        "create_time_ms": task.created_ms,
    }
    if state.is_final:
        view["complete_time_ms"] = task.plan.end_ms
    if state is TaskState.FAILED:
        view |= {"fail_code": task.plan.fail_code, "fail_msg": task.plan.fail_message}
    if state is TaskState.SUCCESS:
        view["result_urls"] = result_urls(task)
    return view


def task_detail(
    task: Task,
    now_ms: int,
    result_urls: ResultUrls,
    entries: Sequence[Entry],
) -> Json:
    return task_view(task, now_ms, result_urls) | {
        "plan": plan_view(task),
        "explain": explain(task),
        "timeline": timeline(task, now_ms, entries),
    }


def plan_view(task: Task) -> Json:
    plan = task.plan
    return {
        "start_ms": plan.start_ms,
        "end_ms": plan.end_ms,
        "polls": plan.polls or None,
        "hold": plan.end_ms is None and not plan.polls,
        "outcome": "failed" if plan.fail_code else "success",
        "fail_code": plan.fail_code,
        "fail_msg": plan.fail_message,
    }


def explain(task: Task) -> list[str]:
    """Tell why the task goes as it goes: a sentence a step of the precedence that applied."""
    plan = task.plan
    pending_s = (plan.start_ms - task.created_ms) / 1000
    if plan.end_ms is not None:
        whole_s = (plan.end_ms - task.created_ms) / 1000
        when = f"times: pending for {pending_s:g} s, ended {whole_s:g} s after the submit"
    elif plan.polls:
        when = f"times: ends at status request {plan.polls}, {task.polls_seen} seen so far"
    else:
        when = f"times: pending for {pending_s:g} s, then processing until control releases it"
    return [*plan.reasons, when]


def timeline(task: Task, now_ms: int, entries: Sequence[Entry]) -> list[Json]:
    """Return what happened to a task, in order; its transitions are derived from its plan."""
    events = [*_transitions(task, now_ms), *(_event(entry) for entry in entries)]
    order = {"submit": 0, "transition": 1}
    return sorted(events, key=lambda event: (event["at_ms"], order.get(event["kind"], 2)))


def _transitions(task: Task, now_ms: int) -> list[Json]:
    plan, changes = task.plan, [(task.created_ms, TaskState.PENDING)]
    if plan.start_ms <= now_ms and not (plan.polls and plan.end_ms is None):
        changes.append((plan.start_ms, TaskState.PROCESSING))
    if plan.end_ms is not None and plan.end_ms <= now_ms:
        changes.append((plan.end_ms, state_at(task, now_ms)))
    return [{"at_ms": at_ms, "kind": "transition", "state": state} for at_ms, state in changes]


def _event(entry: Entry) -> Json:
    event: Json = {"at_ms": entry.at_ms, "kind": entry.operation, "status": entry.status or None}
    if entry.error:
        event["error"] = entry.error
    if entry.operation is Operation.RESULT:
        event["path"] = entry.path
    if entry.rule:
        event |= {"rule": entry.rule, "fault": entry.fault}
    return event | {"duration_ms": entry.duration_us / 1000}


def delivery_view(delivery: Delivery) -> Json:
    return {
        "task_id": delivery.task.id,
        "url": delivery.url,
        "state": delivery.state,
        "next_ms": delivery.due_ms,
        "attempts": [
            {
                "at_ms": attempt.at_ms,
                "status": attempt.status,
                "error": attempt.error,
                "duration_ms": attempt.duration_ms,
            }
            for attempt in delivery.attempts
        ],
    }
