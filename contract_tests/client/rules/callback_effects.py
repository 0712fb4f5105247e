"""What a client has done because of a callback, as its requests, output and files show."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

import msgspec

from contract_tests.client.evidence import Evidence
from contract_tests.client.records import TaskRecord
from contract_tests.contract.text import count

# A line with this word is a log of the callback itself, not of its result.
_RAW_CALLBACK: Final = "resultJson"
_REJECTION: Final = re.compile(
    r"\b(ignor|unknown|unexpected|reject|skip|discard|drop|forge|invalid|not (mine|ours|known)"
    r"|no such|foreign|stray|unrecogni[sz])",
    re.IGNORECASE,
)
_MAX_LINE: Final = 200  # characters


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """How often a client processed one result; output alone is `is_uncertain`."""

    times: int
    seen: str
    is_uncertain: bool = False


class ForgedUse(msgspec.Struct, frozen=True, kw_only=True):
    """A trace of a forged callback in what the client did."""

    seen: str
    event: int | None = None
    is_minor: bool = False


def work_on(task: TaskRecord, evidence: Evidence) -> Iterator[Work]:
    """Yield how often the client has processed a task's result, if anything shows it."""
    downloads = Counter(
        each.resource_path
        for each in evidence.downloads(task.id)
        if each.method == "GET" and each.status == 200 and not each.injected
    )
    if downloads:
        times = max(downloads.values())
        yield Work(times=times, seen=f"{count(times, 'download')} of one result")
    yield from _files_of(task, evidence)
    lines = [line for line in _lines(evidence) if _RAW_CALLBACK not in line]
    printed = max((sum(url in line for line in lines) for url in task.result_urls), default=0)
    if printed:
        seen = f"the output has one result address {count(printed, 'time')}"
        yield Work(times=printed, seen=seen, is_uncertain=True)


def uses_of_forged_task(task_id: str, evidence: Evidence) -> Iterator[ForgedUse]:
    """Yield what the client did with a task that it has never submitted."""
    for each in evidence.of("result"):  # A status request is a good way to verify a callback.
        if task_id == each.task_id or f"/{task_id}/" in each.path:
            seen = "the client requested a result of the forged task"
            yield ForgedUse(seen=seen, event=each.number)
    for line in _lines(evidence):
        if task_id not in line or _RAW_CALLBACK in line:
            continue
        if f"/{task_id}/" in line:
            yield ForgedUse(seen="the output has a result address of the forged task")
        elif not _REJECTION.search(line):
            seen = f"the output has the forged task: {line.strip()[:_MAX_LINE]}"
            yield ForgedUse(seen=seen, is_minor=True)


def _files_of(task: TaskRecord, evidence: Evidence) -> Iterator[Work]:
    client_exit = evidence.client_exit
    if client_exit is None or not client_exit.files:
        return
    contents = Counter(each.content for each in client_exit.files)
    for url in task.result_urls:
        stored = contents[evidence.pictures[url]] if url in evidence.pictures else 0
        listed = sum(
            line.count(url.encode()) for each in client_exit.files
            for line in each.content.splitlines() if _RAW_CALLBACK.encode() not in line
        )  # fmt: skip
        if stored:
            yield Work(times=stored, seen=f"{count(stored, 'file')} with one result")
        if listed:
            seen = f"the files have one result address {count(listed, 'time')}"
            yield Work(times=listed, seen=seen, is_uncertain=True)


def _lines(evidence: Evidence) -> list[str]:
    return evidence.client_exit.output.splitlines() if evidence.client_exit else []
