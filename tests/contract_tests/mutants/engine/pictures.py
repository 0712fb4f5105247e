"""Alterations of downloads."""

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO

from PIL import Image

from tests.contract_tests.mutants.engine.alterations import (
    Alteration,
    Answer,
    telling,
    with_header,
)
from tests.contract_tests.mutants.engine.occasions import Occasion
from tests.contract_tests.mutants.harness import Asked, Serve, Told
from tests.contract_tests.mutants.steering import refusal

_DAY_MS = 24 * 3_600_000
_ABOUT = frozenset({"always", "task", "picture", "key", "age"})


def _good(change: Callable[[Told, Occasion], Told]) -> Answer:
    return telling(
        lambda told, occasion: (
            change(told, occasion) if occasion.channel == "result" and told.status == 200 else told
        )
    )


def _drawn(change: Callable[[Image.Image], Image.Image], form: str = "PNG") -> Answer:
    def changed(told: Told, _: Occasion) -> Told:
        written = BytesIO()
        with Image.open(BytesIO(told.body)) as picture:
            change(picture.convert("RGB")).save(written, form)
        return replace(told, body=written.getvalue())

    return _good(changed)


def _same(key: Callable[[Occasion], str]) -> Answer:
    """Tell the first picture again, of those that are alike by `key`."""

    def changed(told: Told, occasion: Occasion) -> Told:
        first: bytes = occasion.memory.notes.setdefault(key(occasion), told.body)
        return replace(told, body=first)

    return _good(changed)


def _expired(days: float) -> Answer:
    def changed(told: Told, occasion: Occasion) -> Told:
        final = None if occasion.task is None else occasion.task.final
        age_ms = 0 if final is None else occasion.now_ms - final["completeTime"]
        return refusal(410, "Gone", "expired") if age_ms > days * _DAY_MS else told

    return _good(changed)


async def _never_expires(_: Asked, __: Serve, told: Told, occasion: Occasion) -> Told:
    is_gone = occasion.channel == "result" and told.status == 410
    if not is_gone:
        return told
    blank = BytesIO()
    Image.new("RGB", (1024, 1024)).save(blank, "PNG")
    return replace(with_header(told, b"content-type", b"image/png"), status=200,
                   body=blank.getvalue())  # fmt: skip


async def _needs_key(asked: Asked, _: Serve, told: Told, occasion: Occasion) -> Told:
    has_no_key = occasion.channel == "result" and not asked.header(b"authorization")
    return refusal(401, "Unauthorized", "no key") if has_no_key else told


def _picture(
    operator: str, place: str, answer: Answer, clause: str = "RES-2", *also: str,
    needs_control: bool = False,
) -> Alteration:  # fmt: skip
    return Alteration(
        operator=operator, place=place, clause=clause, when=frozenset({"picture"}),
        also=frozenset(also), about=_ABOUT, answer=answer, needs_control=needs_control,
    )  # fmt: skip


PICTURES = (
    *(_picture("wrong-status", f"{status}-for-pictures",
               _good(lambda _, __, status=status: refusal(status, "No", "no")),  # type: ignore[misc]
               "RES-1", "RES-2", "RES-3") for status in (403, 404, 500)),
    _picture("wrong-header", "text-for-pictures", _good(
        lambda told, _: with_header(told, b"content-type", b"text/html"))),
    _picture("truncate", "pictures", _good(lambda told, _: replace(told, body=told.body[:-100]))),
    _picture("empty", "pictures", _good(lambda told, _: replace(told, body=b""))),
    _picture("scale", "pictures-sideways", _drawn(lambda picture: picture.resize(
        (picture.width // 2, picture.height)))),
    _picture("swap", "sides-of-pictures", _drawn(
        lambda picture: picture.crop((0, 0, picture.width, picture.height - 64)))),
    _picture("retype", "pictures-as-gif", _drawn(lambda picture: picture, "GIF")),
    _picture("duplicate", "pictures-of-a-task", _same(
        lambda occasion: f"picture of {occasion.task.id if occasion.task else ''}"),
        "STA-7", "RES-2"),
    _picture("swap", "pictures-of-tasks", _same(
        lambda occasion: f"any picture of {occasion.input.get('aspect_ratio', '1:1')}"
        f" {occasion.picture}"), "RES-2", "STA-7", "RES-3", "AUTH-4"),
    _picture("early", "expiry-by-14-days", _expired(1), "RES-1", needs_control=True),
    _picture("early", "expiry-by-a-day", _expired(14), "RES-1", needs_control=True),
    _picture("never", "expiry", _never_expires, "RES-1", needs_control=True),
    _picture("wrong-status", "401-for-pictures-without-key", _needs_key, "RES-3", "RES-1"),
)  # fmt: skip
