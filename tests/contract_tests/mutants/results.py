"""Mutants of RES."""

import re
from collections.abc import Callable
from dataclasses import replace
from email.utils import parsedate_to_datetime
from io import BytesIO

from PIL import Image

from tests.contract_tests.mutants.harness import (
    Asked,
    Break,
    Mutant,
    Serve,
    Told,
    answers,
    requests,
)
from tests.contract_tests.mutants.steering import refusal

_TOKEN = re.compile(r"-[0-9a-f]{32}\.png$")


def _png(change: Callable[[Image.Image], Image.Image], form: str = "PNG") -> Callable[[], Break]:
    def changed(asked: Asked, told: Told) -> Told:
        if not asked.is_result or told.status != 200:
            return told
        written = BytesIO()
        with Image.open(BytesIO(told.body)) as picture:
            change(picture.convert("RGB")).save(written, form)
        return replace(told, body=written.getvalue())

    return answers(changed)


def _needs_key(asked: Asked, told: Told) -> Told:
    if asked.is_result and not asked.header(b"authorization"):
        return refusal(401, "Unauthorized", "no key")
    return told


def _minds_keys(asked: Asked, told: Told) -> Told:
    if asked.is_result and b"nobody" in asked.header(b"authorization"):
        return refusal(403, "Forbidden", "another key")
    return told


def _never_gone(asked: Asked, told: Told) -> Told:
    is_gone = asked.is_result and told.status == 410
    return replace(told, status=200, body=b"still here") if is_gone else told


def _gone_after(days: int) -> Callable[[], Break]:
    return lambda: _going(days)


def _going(days: int) -> Break:
    begun_ms: dict[str, int] = {}

    async def broken(asked: Asked, serve: Serve) -> Told:
        told = await serve(asked)
        if asked.is_status and told.status == 200 and "resultJson" in told.json["data"]:
            data = told.json["data"]
            begun_ms[data["taskId"]] = data["completeTime"]
        if not asked.is_result or told.status != 200:
            return told
        date = dict(told.headers)[b"date"].decode()
        age_s = parsedate_to_datetime(date).timestamp() - begun_ms[asked.path.split("/")[2]] / 1000
        return refusal(410, "Gone", "expired") if age_s > days * 24 * 3600 else told

    return broken


def _never_there(asked: Asked, told: Told) -> Told:
    return refusal(404, "Not found", "no result") if asked.is_result else told


def _as_text(asked: Asked, told: Told) -> Told:
    if not asked.is_result:
        return told
    others = tuple(each for each in told.headers if each[0] != b"content-type")
    return replace(told, headers=(*others, (b"content-type", b"text/plain")))


def _guessable() -> Break:
    good: dict[str, str] = {}

    async def broken(asked: Asked, serve: Serve) -> Told:
        if not asked.is_result:
            told = await serve(asked)
            for path in re.findall(rb"/results/[^\"\\]+", told.body):
                good[_TOKEN.sub("", path.decode())] = path.decode()
            return told
        return await serve(replace(asked, path=good.get(_TOKEN.sub("", asked.path), asked.path)))

    return broken


def _any_known_end() -> Break:
    """Take the end of any address that was ever told behind the beginning of any other."""
    good: dict[str, str] = {}
    ends: set[str] = set()

    async def broken(asked: Asked, serve: Serve) -> Told:
        folder, _, end = asked.path.rpartition("/")
        if asked.is_result:
            path = good.get(folder, asked.path) if end in ends else asked.path
            return await serve(replace(asked, path=path))
        told = await serve(asked)
        for path in re.findall(rb"/results/[^\"\\]+", told.body):
            folder, _, end = path.decode().rpartition("/")
            good[folder] = path.decode()
            ends.add(end)
        return told

    return broken


def _cut_off(asked: Asked, told: Told) -> Told:
    return replace(told, body=told.body[:-100]) if asked.is_result else told


def _all_alike() -> Break:
    first: dict[str, str] = {}

    async def broken(asked: Asked, serve: Serve) -> Told:
        if not asked.is_result:
            return await serve(asked)
        task = asked.path.rpartition("/")[0]
        return await serve(replace(asked, path=first.setdefault(task, asked.path)))

    return broken


def _square(asked: Asked) -> Asked:
    body = asked.body.replace(b'"3:2"', b'"1:1"').replace(b'"2:3"', b'"1:1"')
    return replace(asked, body=body) if asked.is_submit else asked


MUTANTS = (
    Mutant(name="results-are-never-there", clause="RES-1", make=answers(_never_there)),
    Mutant(name="results-gone-after-a-day", clause="RES-1", make=_gone_after(1)),
    Mutant(name="results-gone-after-two-weeks", clause="RES-1", make=_gone_after(14)),
    Mutant(name="results-never-expire", clause="RES-1", make=answers(_never_gone)),
    Mutant(name="always-square", clause="RES-2", make=requests(_square)),
    Mutant(name="half-the-size", clause="RES-2",
           make=_png(lambda picture: picture.resize((picture.width // 2, picture.height // 2)))),
    Mutant(name="on-its-side", clause="RES-2",
           make=_png(lambda picture: picture.rotate(90, expand=True))),
    Mutant(name="gif-results", clause="RES-2", make=_png(lambda picture: picture, "GIF")),
    Mutant(name="results-as-text", clause="RES-2", make=answers(_as_text)),
    Mutant(name="pictures-cut-off", clause="RES-2", make=answers(_cut_off)),
    Mutant(name="four-times-the-same-picture", clause="RES-2", make=_all_alike),
    Mutant(name="results-need-a-key", clause="RES-3", make=answers(_needs_key)),
    Mutant(name="results-mind-other-keys", clause="RES-3", make=answers(_minds_keys)),
    Mutant(name="results-can-be-guessed", clause="RES-3", make=_guessable),
    Mutant(name="the-end-of-another-address-will-do", clause="RES-3", make=_any_known_end),
)  # fmt: skip
