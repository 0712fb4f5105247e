"""C-RES: how a client gets its pictures."""

from collections.abc import Iterator
from typing import Final

from contract_tests.client.evidence import Evidence, later
from contract_tests.client.exchange import Exchange
from contract_tests.client.faults import SPOILS_PICTURE
from contract_tests.client.rule import Axis, Level, Look, Rule

_GOOD: Final = frozenset({200, 206, 304})


def _parsed(evidence: Evidence) -> Iterator[Look]:
    for task in evidence.tasks:
        told = evidence.successes_told(task.id)
        if not told:
            continue
        named = evidence.names_result(task)
        fetched = evidence.downloads(task.id)
        seen = f"{len(fetched)} downloads" + (", and an address in its output" if named else "")
        yield Look(holds=bool(fetched) or named, seen=seen, event=told[0].number)


def _every(evidence: Evidence) -> Iterator[Look]:
    for task in evidence.tasks:
        asked = {each.address for each in evidence.downloads(task.id) if each.method == "GET"}
        told = evidence.successes_told(task.id)
        if told and asked:
            seen = f"{len(asked)} of {task.num_images} addresses fetched"
            yield Look(holds=len(asked) >= task.num_images, seen=seen, event=told[0].number)


def _in_time(evidence: Evidence) -> Iterator[Look]:
    for each in evidence.of("result"):
        if each.status in _GOOD or (each.status == 410 and not each.injected):
            yield Look(holds=each.status != 410, seen=f"answered {each.status}", event=each.number)


def _repeated(evidence: Evidence) -> Iterator[Look]:
    for each in evidence.of("result"):
        if not each.is_broken and not each.injected & SPOILS_PICTURE:
            continue
        again = later(evidence.downloads(each.task_id), each)
        again = [fetch for fetch in again if fetch.address == each.address]
        is_noticed = evidence.ended is not None and evidence.ended.exit_status != 0
        seen = f"{_kind(each)}: fetched {len(again)} times more"
        if not again and is_noticed:
            seen += ", but ended as a failure"
        yield Look(holds=bool(again), seen=seen, event=each.number, is_minor=is_noticed)


def _kind(spoiled: Exchange) -> str:
    return ", ".join(sorted(spoiled.injected))


def _no_key(evidence: Evidence) -> Iterator[Look]:
    for each in evidence.of("result"):
        told = [name for name, _ in each.headers if name.lower() in _KEY_HEADERS]
        if "[redacted]" in each.path or any("[redacted]" in value for _, value in each.headers):
            told.append("the key")
        seen = f"{', '.join(dict.fromkeys(told)) or 'no key'} sent with the download"
        yield Look(holds=not told, seen=seen, event=each.number)


_KEY_HEADERS: Final = frozenset({"authorization", "x-api-key", "api-key", "proxy-authorization"})

RULES: Final = (
    Rule(
        id="C-RES-001",
        title="it finds the addresses in resultJson, which is a string of JSON",
        clauses=("STA-6",),
        axis=Axis.OUTCOME,
        level=Level.MUST,
        event="a task that it saw succeed",
        advice="resultJson is a string: parse it as JSON once more, take resultUrls of it, and "
        "fetch them.",
        look=_parsed,
    ),
    Rule(
        id="C-RES-002",
        title="it fetches every address of a result",
        clauses=("STA-7", "BIL-1"),
        axis=Axis.OUTCOME,
        level=Level.MUST,
        event="a result of which it fetched something",
        advice="Go through all of resultUrls: each is a picture that is paid for.",
        look=_every,
    ),
    Rule(
        id="C-RES-003",
        title="it fetches results while they are valid",
        clauses=("RES-1",),
        axis=Axis.OUTCOME,
        level=Level.MUST,
        event="a download",
        advice="Fetch results at once and keep the files: addresses end after 15 days, perhaps "
        "after one.",
        look=_in_time,
    ),
    Rule(
        id="C-RES-004",
        title="it notices a download that is broken, and repeats it",
        clauses=("RES-2",),
        axis=Axis.OUTCOME,
        level=Level.MUST,
        event="a download that was broken off or spoiled",
        advice="Compare what came with Content-Length, look whether it is a whole image, and fetch "
        "it again if not; write to a file of another name until then.",
        look=_repeated,
    ),
    Rule(
        id="C-RES-005",
        title="it keeps its key from the host of the results",
        clauses=("RES-3",),
        axis=Axis.MANNERS,
        level=Level.MUST,
        event="a download",
        advice="Download with a client that has no Authorization header: results are on another "
        "host and need no key.",
        look=_no_key,
    ),
)
