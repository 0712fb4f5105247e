"""LIM: servers that count wrongly."""

from collections import Counter, defaultdict
from collections.abc import Callable

from tests.contract_tests.mutants.harness import Asked, Break, Mutant, Serve, Told, answers
from tests.contract_tests.mutants.limits_retry_after import MUTANTS as LIM_5
from tests.contract_tests.mutants.limits_tasks import MUTANTS as LIM_2
from tests.contract_tests.mutants.steering import (
    count_once,
    is_limited,
    let_through,
    now_ms,
    rate_limit,
    steer,
    too_many,
)

WINDOW_MS = 60_000


def _one_too_many() -> Break:
    refused: Counter[bytes] = Counter()

    async def broken(asked: Asked, serve: Serve) -> Told:
        told = await serve(asked)
        if told.status != 429:
            return told
        key = asked.header(b"authorization")
        refused[key] += 1
        return await let_through(asked, serve, "rate_limit") if refused[key] == 1 else told

    return broken


def _first_counts_twice() -> Break:
    seen: set[bytes] = set()

    async def broken(asked: Asked, serve: Serve) -> Told:
        key = asked.header(b"authorization")
        if is_limited(asked) and key not in seen:
            seen.add(key)
            await count_once(asked, serve)
        return await serve(asked)

    return broken


async def _never_limited(asked: Asked, serve: Serve) -> Told:
    told = await serve(asked)
    return await let_through(asked, serve, "rate_limit") if told.status == 429 else told


def _calendar_minutes() -> Break:
    admitted: Counter[tuple[bytes, int]] = Counter()

    async def broken(asked: Asked, serve: Serve) -> Told:
        if not is_limited(asked):
            return await serve(asked)
        window = (asked.header(b"authorization"), await now_ms(asked, serve) // WINDOW_MS)
        if admitted[window] >= await rate_limit(asked, serve):
            return too_many()
        admitted[window] += 1
        told = await serve(asked)
        return await let_through(asked, serve, "rate_limit") if told.status == 429 else told

    return broken


def _closed_window() -> Break:
    """Refuse at 60 s sharp, when the window of 60 s is just over."""
    admitted: defaultdict[bytes, list[int]] = defaultdict(list)

    async def broken(asked: Asked, serve: Serve) -> Told:
        if not is_limited(asked):
            return await serve(asked)
        mine, now = admitted[asked.header(b"authorization")], await now_ms(asked, serve)
        if any(now - instant == WINDOW_MS for instant in mine):
            return too_many()
        told = await serve(asked)
        if told.status != 429:
            mine.append(now)
        return told

    return broken


def _one_limit_for_all_keys() -> Break:
    exhausted: set[bytes] = set()

    async def broken(asked: Asked, serve: Serve) -> Told:
        key = asked.header(b"authorization")
        if is_limited(asked) and exhausted - {key}:
            return too_many()
        told = await serve(asked)
        (exhausted.add if told.status == 429 else exhausted.discard)(key)
        return told

    return broken


async def _downloads_count(asked: Asked, serve: Serve) -> Told:
    if asked.is_result and asked.header(b"authorization"):
        await count_once(asked, serve)
    return await serve(asked)


def _downloads_refused() -> Break:
    exhausted: dict[str, bool] = {}
    ids: dict[bytes, str] = {}

    async def broken(asked: Asked, serve: Serve) -> Told:
        if asked.is_result and any(is_it and id_ in asked.path for id_, is_it in exhausted.items()):
            return too_many()
        told = await serve(asked)
        if is_limited(asked):
            key = asked.header(b"authorization")
            if key not in ids:
                ids[key] = (await steer(asked, serve, "GET", "sandbox"))["id"]
            exhausted[ids[key]] = told.status == 429
        return told

    return broken


def _not_counted(is_free: Callable[[Asked, Told], bool]) -> Callable[[], Break]:
    """Give a request back where it is free, by raising the limit."""

    async def broken(asked: Asked, serve: Serve) -> Told:
        told = await serve(asked)
        if is_limited(asked) and told.status != 401 and is_free(asked, told):
            limit = await rate_limit(asked, serve)
            await steer(asked, serve, "PATCH", "sandbox", {"rate_limit": limit + 1})
        return told

    return lambda: broken


def _refusals_count() -> Break:
    came: defaultdict[bytes, list[int]] = defaultdict(list)

    async def broken(asked: Asked, serve: Serve) -> Told:
        if not is_limited(asked):
            return await serve(asked)
        mine, now = came[asked.header(b"authorization")], await now_ms(asked, serve)
        recent = sum(now - instant < WINDOW_MS for instant in mine)
        mine.append(now)
        if recent >= await rate_limit(asked, serve):
            return too_many()
        return await serve(asked)

    return broken


def _unauthorized_count() -> Break:
    """Count them to every key, for they have none."""
    unauthorized = 0
    paid: dict[bytes, int] = {}

    async def broken(asked: Asked, serve: Serve) -> Told:
        nonlocal unauthorized
        told = await serve(asked)
        if told.status == 401:
            unauthorized += 1
        elif is_limited(asked):
            key = asked.header(b"authorization")
            for _ in range(min(unauthorized - paid.get(key, 0), 10)):
                await count_once(asked, serve)
            paid[key] = unauthorized
        return told

    return broken


MUTANTS = (
    Mutant(name="the-10001st-request-passes", clause="LIM-1", make=_one_too_many),
    Mutant(name="the-first-request-counts-twice", clause="LIM-1", make=_first_counts_twice),
    Mutant(name="no-limit-of-requests", clause="LIM-1", make=lambda: _never_limited),
    Mutant(
        name="503-for-429",
        clause="LIM-1",
        make=answers(lambda _, told: told.with_status(503) if told.status == 429 else told),
    ),
    *LIM_2,
    Mutant(name="limits-of-calendar-minutes", clause="LIM-3", make=_calendar_minutes),
    Mutant(name="a-window-of-60-s-and-a-bit", clause="LIM-3", make=_closed_window),
    Mutant(name="one-limit-for-all-keys", clause="LIM-3", make=_one_limit_for_all_keys),
    Mutant(
        name="requests-for-the-balance-do-not-count",
        clause="LIM-3",
        make=_not_counted(lambda asked, _: asked.path.endswith("/current-balance")),
    ),
    Mutant(name="downloads-count", clause="LIM-3", make=lambda: _downloads_count),
    Mutant(name="no-downloads-over-the-limit", clause="LIM-3", make=_downloads_refused),
    Mutant(
        name="refused-submits-do-not-count",
        clause="LIM-4",
        make=_not_counted(lambda _, told: told.status == 400),
    ),
    Mutant(
        name="requests-for-unknown-tasks-do-not-count",
        clause="LIM-4",
        make=_not_counted(lambda _, told: told.status == 404),
    ),
    Mutant(name="429s-count", clause="LIM-4", make=_refusals_count),
    Mutant(name="requests-without-a-key-count", clause="LIM-4", make=_unauthorized_count),
    *LIM_5,
)
