"""LIM-5: servers that say badly how long to wait."""

from collections.abc import Callable
from dataclasses import replace

from tests.contract_tests.mutants.harness import Asked, Break, Mutant, Told, answers

_RETRY_AFTER = b"retry-after"


def _header(change: Callable[[Asked, bytes], bytes | None]) -> Callable[[], Break]:
    """Change the header of every 429, or leave it out."""

    def changed(asked: Asked, told: Told) -> Told:
        written = dict(told.headers).get(_RETRY_AFTER)
        if told.status != 429 or written is None:
            return told
        others = tuple(each for each in told.headers if each[0] != _RETRY_AFTER)
        value = change(asked, written)
        more = () if value is None else ((_RETRY_AFTER, value),)
        return replace(told, headers=(*others, *more))

    return answers(changed)


def _always_there(_: Asked, told: Told) -> Told:
    if told.status != 429 or _RETRY_AFTER in dict(told.headers):
        return told
    return replace(told, headers=(*told.headers, (_RETRY_AFTER, b"60")))


MUTANTS = (
    Mutant(name="no-retry-after", clause="LIM-5", make=_header(lambda _, __: None)),
    Mutant(
        name="no-retry-after-at-the-limit-of-tasks",
        clause="LIM-5",
        make=_header(lambda asked, written: None if asked.is_submit else written),
    ),
    Mutant(
        name="retry-after-with-a-fraction",
        clause="LIM-5",
        make=_header(lambda _, written: b"%d.5" % int(written)),
    ),
    Mutant(
        name="retry-after-rounded-down",
        clause="LIM-5",
        make=_header(lambda _, written: b"%d" % (int(written) - 1)),
    ),
    Mutant(
        name="retry-after-a-second-short-but-never-0",
        clause="LIM-5",
        make=_header(lambda _, written: b"%d" % max(1, int(written) - 1)),
    ),
    Mutant(
        name="retry-after-as-a-date",
        clause="LIM-5",
        make=_header(lambda _, __: b"Fri, 01 Jan 2100 00:00:00 GMT"),
    ),
    Mutant(name="retry-after-though-switched-off", clause="LIM-5", make=answers(_always_there)),
)
