"""Alterations of who may see what: API keys and the tasks of others."""

from collections.abc import Callable
from urllib.parse import parse_qs

from tests.contract_tests.mutants.engine.alterations import Alteration, Answer, with_key
from tests.contract_tests.mutants.engine.occasions import Occasion
from tests.contract_tests.mutants.harness import Asked, Serve, Told
from tests.contract_tests.mutants.steering import BALANCE, refusal


async def _shown_to_all(asked: Asked, serve: Serve, told: Told, occasion: Occasion) -> Told:
    """Answer for the task of any key."""
    if occasion.channel != "status" or told.status != 404:
        return told
    named = parse_qs(asked.query.decode("latin-1")).get("taskId", [""])[0]
    task = occasion.memory.tasks.get(named)
    return told if task is None else await serve(with_key(asked, task.key))


async def _ended_shown_to_all(asked: Asked, serve: Serve, told: Told, occasion: Occasion) -> Told:
    shown = await _shown_to_all(asked, serve, told, occasion)
    return shown if shown.status == 200 and "completeTime" in shown.json["data"] else told


async def _forbidden_for_others(asked: Asked, serve: Serve, told: Told, occasion: Occasion) -> Told:
    """Tell another key that the task exists."""
    shown = await _shown_to_all(asked, serve, told, occasion)
    return told if shown is told else refusal(403, "Forbidden", "the task of another key")


async def _balance_of_another(asked: Asked, serve: Serve, told: Told, occasion: Occasion) -> Told:
    """Tell the balance of the key that has spent most."""
    if occasion.channel != "balance" or told.status != 200:
        return told
    keys = occasion.memory.keys
    other = max(keys, key=lambda key: len(keys[key].tasks))
    return await serve(with_key(asked, other))


def _unknown(status: int) -> Answer:
    async def answered(asked: Asked, _: Serve, told: Told, occasion: Occasion) -> Told:
        is_unknown = occasion.channel == "status" and told.status == 404
        return refusal(status, "Task not found", "no task") if is_unknown else told

    return answered


def _without_key(place: str, is_there: Callable[[Asked], bool], status: int) -> Alteration:
    """Answer 401 of one endpoint with another status."""

    async def answered(asked: Asked, _: Serve, told: Told, __: Occasion) -> Told:
        is_it = told.status == 401 and is_there(asked)
        return refusal(status, "Unauthorized", "no key") if is_it else told

    return Alteration(
        operator="wrong-status", place=f"{status}-for-no-key-at-{place}", clause="AUTH-2",
        when=frozenset({"error"}), also=frozenset({"AUTH-3", "AUTH-1"}),
        about=frozenset({"always"}), answer=answered,
    )  # fmt: skip


def _admitting(place: str, is_there: Callable[[Asked], bool]) -> Alteration:
    """Accept a request of one endpoint without a good key."""

    async def answered(asked: Asked, serve: Serve, told: Told, __: Occasion) -> Told:
        is_it = told.status == 401 and is_there(asked)
        return await serve(with_key(asked, b"Bearer anybody")) if is_it else told

    return Alteration(
        operator="wrong-status", place=f"no-401-at-{place}", clause="AUTH-2",
        when=frozenset({"error"}), also=frozenset({"AUTH-3", "AUTH-1"}),
        about=frozenset({"always"}), answer=answered,
    )  # fmt: skip


_ENDPOINTS: dict[str, Callable[[Asked], bool]] = {
    "submits": lambda asked: asked.is_submit,
    "status-requests": lambda asked: asked.is_status,
    "balances": lambda asked: asked.path == BALANCE,
}
_BY_TASK = frozenset({"always", "task", "end", "age", "key"})

ACCESS = (
    *(_without_key(place, is_there, status)
      for place, is_there in _ENDPOINTS.items() for status in (400, 403, 404, 500)),
    *(_admitting(place, is_there) for place, is_there in _ENDPOINTS.items()),
    Alteration(operator="swap", place="owner-of-task", clause="AUTH-4", when=frozenset({"other"}),
               about=_BY_TASK, also=frozenset({"STA-2"}), answer=_shown_to_all),
    Alteration(operator="swap", place="owner-of-ended-task", clause="AUTH-4",
               when=frozenset({"other"}), about=_BY_TASK, also=frozenset({"STA-2"}),
               answer=_ended_shown_to_all),
    Alteration(operator="wrong-status", place="403-for-tasks-of-others", clause="AUTH-4",
               when=frozenset({"other"}), about=_BY_TASK, also=frozenset({"STA-2"}),
               answer=_forbidden_for_others),
    Alteration(operator="swap", place="balance", clause="AUTH-4", when=frozenset({"balance"}),
               also=frozenset({"BIL-1", "BIL-3", "BIL-2"}), answer=_balance_of_another),
    *(Alteration(operator="wrong-status", place=f"{status}-for-unknown-tasks", clause="STA-2",
                 when=frozenset({"error"}), about=frozenset({"always"}),
                 also=frozenset({"AUTH-4"}), answer=_unknown(status))
      for status in (400, 403, 410, 500)),
)  # fmt: skip
