"""RES-1, RES-2 and RES-3: every download of a result."""

from collections.abc import Iterator
from typing import Final

from contract_tests.server.checkers.operations import Operation
from contract_tests.server.checkers.pictures import Picture, decode_picture
from contract_tests.server.checkers.trace import Exchange, Task, Trace
from contract_tests.server.checkers.violation import Violation

_VALID_MS: Final = 15 * 24 * 3600 * 1000
_GONE: Final = frozenset({403, 404, 410})
_NEAR_MS: Final = 300_000  # No page says whether the 15 days begin at the end or at the submit.
_SIZES: Final = {"1:1": (1024, 1024), "3:2": (1536, 1024), "2:3": (1024, 1536)}
_TYPES: Final = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
_ANY_TYPE: Final = frozenset(_TYPES.values())
_PARTIAL: Final = frozenset({"range", "if-none-match", "if-modified-since", "if-range"})
_TRUNCATED: Final = "without sending complete message body"


def check_downloads(trace: Trace) -> Iterator[Violation]:
    """Judge each download: its status at that time, and the picture."""
    seen: dict[Task, dict[int, Picture]] = {}
    for exchange in trace.exchanges:
        task = exchange.task
        if (
            exchange.operation is not Operation.DOWNLOAD
            or task is None
            or not task.sandbox.is_plain
        ):
            continue
        if any(name.lower() in _PARTIAL for name, _ in exchange.request.headers):
            continue
        if _TRUNCATED in (exchange.response.error or ""):
            yield _violation("RES-2", "whole", "a whole picture", exchange)
        if not exchange.status:
            continue
        yield from _available(trace, exchange, task)
        if exchange.status == 200:
            yield from _picture(trace, exchange, task, seen.setdefault(task, {}))


def _available(trace: Trace, exchange: Exchange, task: Task) -> Iterator[Violation]:
    age_ms = _age_ms(exchange, task)
    ttl_s = (trace.target.info or {}).get("result_ttl")
    ttl_ms = round(ttl_s * 1000) if isinstance(ttl_s, int | float) else _VALID_MS
    near_ms = min(_NEAR_MS, ttl_ms // 4)
    if age_ms is None:
        return
    if age_ms >= ttl_ms + near_ms:
        if exchange.status not in _GONE:
            yield _violation(
                "RES-1", "gone", f"the result is gone {ttl_ms // 1000} s after the end", exchange
            )
    elif age_ms < ttl_ms - near_ms and exchange.status != 200:
        if exchange.status in {401, 403}:
            # Pages show where results are; that a download needs no key is a choice.
            expected = "the picture, without an API key"
            yield _violation("RES-3", "key", expected, exchange, is_choice=True)
        elif exchange.status == 429:
            expected = "a download, which does not count to the limit of requests"
            yield _violation("LIM-3", "download", expected, exchange)
        else:
            expected = f"the picture, until {ttl_ms // 1000} s after the end"
            yield _violation("RES-1", "available", expected, exchange)


def _age_ms(exchange: Exchange, task: Task) -> int | None:
    """Return how long ago the task ended, or None if it is unknown."""
    completed_ms = task.finals[0].members.get("completeTime") if task.finals else None
    if exchange.at is None or type(completed_ms) is not int:
        return None
    return exchange.at.high_ms - completed_ms


def _picture(
    trace: Trace, exchange: Exchange, task: Task, pictures: dict[int, Picture]
) -> Iterator[Violation]:
    kind = (exchange.response.header("Content-Type") or "").partition(";")[0].strip().lower()
    if not kind.startswith("image/"):
        yield _violation("RES-2", "type", "a Content-Type of a picture", exchange)
    picture = decode_picture(exchange.response.body)
    if picture is None:
        expected = "a whole picture in PNG, JPEG or WebP"
        yield _violation("RES-2", "whole", expected, exchange)
        return
    if kind in _ANY_TYPE and kind != _TYPES[picture.format]:
        expected = f"Content-Type {_TYPES[picture.format]}, because the content is {picture.format}"
        yield _violation("RES-2", "type", expected, exchange)
    yield from _size(trace, exchange, task, picture)
    index = exchange.position
    known = pictures.setdefault(index, picture)
    if known.pixels != picture.pixels:
        expected = "the same picture as at the download before"
        yield _violation("RES-2", "same", expected, exchange)
    twins = [number for number, each in pictures.items() if each.pixels == picture.pixels]
    if twins != [index]:
        expected = "each URL of a task has a picture of its own"
        yield _violation("RES-2", "different", expected, exchange)


def _size(trace: Trace, exchange: Exchange, task: Task, picture: Picture) -> Iterator[Violation]:
    ratio = task.order.ratio
    if ratio is None:
        return
    if not picture.has_ratio(ratio):
        yield _violation("RES-2", "ratio", f"a picture of {ratio}", exchange)
    elif trace.has_control and (picture.width, picture.height) != _SIZES[ratio]:
        expected = f"a picture of {_SIZES[ratio]} pixels for {ratio}"
        yield _violation("RES-2", "size", expected, exchange)


def _violation(
    clause: str, kind: str, expected: str, exchange: Exchange, *, is_choice: bool = False
) -> Violation:
    response = exchange.response
    picture = decode_picture(response.body) if response.body else None
    pixels = f"{picture.width}x{picture.height} {picture.format}" if picture else "no picture"
    seen = response.error or (
        f"HTTP {response.status}, {response.header('Content-Type')}, {len(response.body)} bytes,"
        f" {pixels}"
    )
    return Violation(
        clause=clause,
        kind=kind,
        expected=expected,
        seen=f"GET {exchange.request.path}: {seen}",
        event=exchange.number,
        is_choice=is_choice,
    )
