"""Chooses the scenarios of the traffic that fit the context of a mutant."""

from collections.abc import Callable, Iterator

import msgspec

from contract_tests.server.case import Case
from contract_tests.server.cases.traffic import CASES, rows_of
from contract_tests.server.probe import Probe
from contract_tests.server.traffic.array import Row
from contract_tests.server.traffic.verdicts import play_all
from tests.contract_tests.mutants.engine.alterations import EngineMutant

_TRIPLES = 3
_AT_ONCE = 6
_MOST = 48
_BAD = ("unreachable", "wrong-format", "too-large", "no-image")
_FITS: dict[str, tuple[str, tuple[str, ...]]] = {
    "callback-tasks": ("request_type", ("callback",)),
    "route-value": ("route", ("value",)),
    "route-official": ("route", ("official",)),
    "mode-text-to-image": ("mode", ("text-to-image",)),
    "mode-image-to-image": ("mode", ("image-to-image",)),
    "two-images": ("count", ("2",)),
    "four-images": ("count", ("4",)),
    "ratio-3-2": ("ratio", ("3:2",)),
    "ratio-2-3": ("ratio", ("2:3",)),
    "references": ("references", ("good-url", "good-data")),
    "data-references": ("references", ("good-data",)),
    "long-prompts": ("prompt", ("longest",)),
    "unicode-prompts": ("prompt", ("unicode",)),
    "moderated": ("prompt", ("moderated",)),
    "bad-references": ("references", _BAD),
    "injected-failures": ("outcome", ("failed-early",)),
    "status-only": ("receiver", ("accepts",)),
    "callbacks-only": ("receiver", ("accepts",)),
    "second-address": ("count", ("2", "4")),
    "last-of-four": ("count", ("4",)),
    "after-two-polls": ("watch", ("small-steps",)),
    "after-an-hour": ("then", ("retries", "expiry")),
    "after-14-days": ("then", ("expiry",)),
    "after-15-days": ("then", ("expiry",)),
    "second-task": ("actor", ("second-task",)),
    "another-key-acts": ("actor", ("other-key-submits", "other-key-reads")),
    "after-a-rejection": ("actor", ("rejected-submit",)),
    "after-a-429": ("limit", ("tasks", "rate")),
}


def _has_failed(row: Row) -> bool:
    return (
        row["prompt"] == "moderated"
        or row["references"] in _BAD
        or row["outcome"] == "failed-early"
    )


_SHOWS: dict[str, Callable[[Row], bool]] = {
    "success": lambda row: not _has_failed(row),
    "failed": _has_failed,
    "many": lambda row: row["count"] in {"2", "4"} and not _has_failed(row),
    "many-failed": lambda row: row["count"] in {"2", "4"} and _has_failed(row),
    "oblong": lambda row: row["ratio"] in {"3:2", "2:3"} and not _has_failed(row),
    "moderated": lambda row: row["prompt"] == "moderated",
    "bad-image": lambda row: row["references"] in _BAD,
    "begin": lambda row: row["watch"] == "small-steps",
    "invalid": lambda row: row["actor"] == "rejected-submit",
    "other": lambda row: row["actor"] == "other-key-reads",
    "limit": lambda row: row["limit"] in {"tasks", "rate"},
    "retry": lambda row: row["receiver"] == "rejects" and row["then"] == "retries",
    "delivery": lambda row: row["receiver"] in {"accepts", "rejects"},
    "picture": lambda row: row["then"] == "expiry",
}


def scenario_cases(mutant: EngineMutant, seed: int) -> Iterator[Case]:
    """Yield cases that play a few scenarios each, those that fit the mutant best first."""
    rows = rows_of(_TRIPLES, seed)
    order = sorted(range(len(rows)), key=lambda place: -_score(mutant, rows[place]))
    for start in range(0, _MOST, _AT_ONCE):
        yield _case(tuple(order[start : start + _AT_ONCE]))


def _case(places: tuple[int, ...]) -> Case:
    def run(probe: Probe) -> None:
        rows = rows_of(_TRIPLES, probe.seed)
        play_all(probe, ((place, rows[place]) for place in places))

    return msgspec.structs.replace(CASES[0], id="S-TRF-101", run=run)


def _score(mutant: EngineMutant, row: Row) -> int:
    factor, values = _FITS.get(mutant.context.name, ("route", ()))
    shown = any(
        _SHOWS[kind](row) for kind in mutant.alteration.when if kind in _SHOWS
    )  # fmt: skip
    return 2 * (row[factor] in values) + shown
