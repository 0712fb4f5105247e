"""The model of a server: what each API key has done, and what the next answer must be."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from contract_tests.server.model.accounts import Account
from contract_tests.server.model.facts import Facts
from contract_tests.server.model.submissions import Problem, problems_of
from contract_tests.server.model.tasks import KnownTask

_CREDIT: Final = (400, 402)  # SUB-17: the pages disagree.
_NO_CREDIT: Final = "SUB-17"


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer may be: its statuses, and why. `clause` is the one that decides it."""

    statuses: frozenset[int]
    clause: str
    because: str
    names: tuple[str, ...] = ()
    """Paths of which an error must name at least one (SUB-14)."""
    is_choice: bool = False
    """Whether this project chose the statuses, although pages state the clause."""
    retry_after_s: tuple[int, int | None] | None = None
    """The least and the greatest Retry-After of a 429; None if it is not promised."""


class Model:
    """Predicts answers. Call `sent` once per request, after its answer was compared."""

    def __init__(self, facts: Facts, keys: tuple[str, ...] = ("own", "other")) -> None:
        self.facts = facts
        self.accounts = {key: Account(facts) for key in keys}
        self.tasks: dict[str, KnownTask] = {}

    def set_clock(self, key: str, now_ms: int | None) -> None:
        """Note the instant of a key's clock."""
        self.accounts[key].now_ms = now_ms if self.facts.has_clock else None

    # What an answer must be

    def expect_submit(self, key: str, body: Mapping[str, Any]) -> Expected:
        """Return what a submit must be answered."""
        account = self.accounts.get(key)
        if account is None:
            return _unauthorized()
        if account.is_rate_exceeded:
            return self._rate_exceeded(account)
        problems = problems_of(body, is_strict=self.facts.is_strict)
        limits = self._limits(account, _images_of(body))
        certain = [problem for problem in problems if not problem.is_open]
        if certain:
            return self._invalid(certain, problems, limits)
        if limits is None:
            statuses = {200, 400} if problems else {200}
            because = "no page says whether this is valid" if problems else "the submit is valid"
            return Expected(statuses=frozenset(statuses), clause="SUB-1", because=because)
        if problems:
            return msgspec.structs.replace(limits, statuses=limits.statuses | {200, 400})
        return limits

    def expect_status(self, key: str, task: KnownTask) -> Expected:
        """Return the status of the answer to a status request."""
        account = self.accounts.get(key)
        if account is None:
            return _unauthorized()
        if account.is_rate_exceeded:
            return self._rate_exceeded(account)
        if key != task.key:
            because = "the task of another key is not found"
            return Expected(
                statuses=frozenset({404}), clause="AUTH-4", because=because, is_choice=True
            )
        because = "the task exists"
        return Expected(statuses=frozenset({200}), clause="STA-3", because=because)

    def expect_balance(self, key: str) -> Expected:
        """Return the status of the answer to a request for the balance."""
        account = self.accounts.get(key)
        if account is None:
            return _unauthorized()
        if account.is_rate_exceeded:
            return self._rate_exceeded(account)
        because = "the key is valid"
        return Expected(statuses=frozenset({200}), clause="BIL-2", because=because)

    def is_downloadable(self, task: KnownTask) -> bool | None:
        """Return whether the results of a task are available; None if that is not known (RES-1)."""
        now_ms = self.accounts[task.key].now_ms
        if now_ms is None or task.end_ms is None:
            return True
        left_ms = task.end_ms + self.facts.result_ttl_ms - now_ms
        return None if left_ms == 0 else left_ms > 0

    # What happened

    def sent(self, key: str, status: int) -> None:
        """Count a request that was answered with this status."""
        account = self.accounts.get(key)
        if account is not None and status not in {401, 429}:
            account.count_request()

    def accepted(self, name: str, task: KnownTask) -> None:
        """Note a task that was created."""
        self.tasks[name] = task
        self.accounts[task.key].tasks.append(task)

    def _limits(self, account: Account, images: int | None) -> Expected | None:
        """Return what the limit of tasks and the balance say about a valid submit, if anything."""
        least, most = account.live_tasks()
        limit, statuses = self.facts.max_tasks, set()
        clause, because = "LIM-2", f"{least} of {limit} tasks of this key are in progress"
        if most >= limit:
            statuses |= {429}
        is_certain = least >= limit
        balance = account.balance_microusd()
        if balance is not None and images is not None and self.facts.price_microusd is not None:
            low, high = balance
            cost = images * self.facts.price_microusd
            if low < cost:
                statuses |= {*_CREDIT}
                clause = clause if is_certain else _NO_CREDIT
                because = f"the balance is ${high / 1e6:g}, the submit costs ${cost / 1e6:g}"
            is_certain = is_certain or high < cost
        if not statuses:
            return None
        return Expected(
            statuses=frozenset(statuses if is_certain else statuses | {200}),
            clause=clause,
            because=because,
            retry_after_s=(1, None) if self.facts.sends_retry_after else None,
        )

    def _invalid(
        self, certain: list[Problem], problems: tuple[Problem, ...], limits: Expected | None
    ) -> Expected:
        statuses = {400} | (set(limits.statuses) - {200} if limits else set())
        paths = tuple(problem.path for problem in problems if problem.path)
        return Expected(
            statuses=frozenset(statuses),
            clause=certain[0].clause,
            because=f"invalid: {', '.join(paths) or 'the body is not an object'}",
            names=paths if statuses == {400} else (),
        )

    def _rate_exceeded(self, account: Account) -> Expected:
        limit = self.facts.rate_limit
        return Expected(
            statuses=frozenset({429}),
            clause="LIM-3",
            because=f"{limit} requests in the 60 s up to now, the limit",
            retry_after_s=account.wait_s() if self.facts.sends_retry_after else None,
        )


def task_of(body: Mapping[str, Any], *, id_: str, key: str) -> KnownTask:
    """Return the task that an accepted body creates; its end is not known yet."""
    given = body.get("input")
    given = given if isinstance(given, dict) else {}
    return KnownTask(
        id=id_,
        key=key,
        images=_images_of(body) or 1,
        has_default_images=given.get("num_images") is None,
        ratio=given.get("aspect_ratio", "1:1"),
    )


def _images_of(body: Mapping[str, Any]) -> int | None:
    given = body.get("input")
    images = given.get("num_images", 1) if isinstance(given, dict) else None
    return images if type(images) is int else None


def _unauthorized() -> Expected:
    because = "the key is missing or invalid"
    return Expected(statuses=frozenset({401}), clause="AUTH-2", because=because)
