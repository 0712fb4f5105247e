"""C-RES: how a client downloads its results."""

from collections.abc import Iterator
from typing import Final

from contract_tests.client.evidence import Evidence, exchanges_after
from contract_tests.client.faults import SPOILS_PICTURE
from contract_tests.client.rule import Axis, Level, Observation, Rule
from contract_tests.client.rules.wording import describe_faults
from contract_tests.contract.text import count

_SUCCESSFUL: Final = frozenset({200, 206, 304})
_KEY_HEADERS: Final = frozenset({"authorization", "x-api-key", "api-key", "proxy-authorization"})
_REDACTED: Final = "[redacted]"


def _check_result_json(evidence: Evidence) -> Iterator[Observation]:
    for task in evidence.tasks:
        notices = evidence.success_notices(task.id)
        if not notices:
            continue
        is_printed = evidence.has_printed_result(task)
        downloads = evidence.downloads(task.id)
        seen = count(len(downloads), "download")
        if is_printed:
            seen += ", and a result address in the output"
        holds = bool(downloads) or is_printed
        yield Observation(holds=holds, seen=seen, event=notices[0].number)


def _check_completeness(evidence: Evidence) -> Iterator[Observation]:
    for task in evidence.tasks:
        downloads = [each for each in evidence.downloads(task.id) if each.method == "GET"]
        addresses = {each.resource_path for each in downloads}
        notices = evidence.success_notices(task.id)
        if notices and addresses:
            seen = f"{len(addresses)} of {task.num_images} results downloaded"
            holds = len(addresses) >= task.num_images
            yield Observation(holds=holds, seen=seen, event=notices[0].number)


def _check_expiry(evidence: Evidence) -> Iterator[Observation]:
    for each in evidence.of("result"):
        is_expired = each.status == 410 and not each.injected
        if each.status in _SUCCESSFUL or is_expired:
            seen = f"status {each.status}"
            yield Observation(holds=not is_expired, seen=seen, event=each.number)


def _check_damaged_download(evidence: Evidence) -> Iterator[Observation]:
    for each in evidence.of("result"):
        if not each.is_broken and not each.injected & SPOILS_PICTURE:
            continue
        retries = [
            retry
            for retry in exchanges_after(evidence.downloads(each.task_id), each)
            if retry.resource_path == each.resource_path
        ]
        client_exit = evidence.client_exit
        is_reported = client_exit is not None and client_exit.exit_status != 0
        times = f"retried {count(len(retries), 'time')}" if retries else "not retried"
        seen = f"{times} after {describe_faults(each.injected)}"
        if not retries and is_reported:
            seen += ", but the client reported a failure"
        yield Observation(holds=bool(retries), seen=seen, event=each.number, is_minor=is_reported)


def _check_secrecy(evidence: Evidence) -> Iterator[Observation]:
    for each in evidence.of("result"):
        sent = [f"the header {name}" for name, _ in each.headers if name.lower() in _KEY_HEADERS]
        # The mock redacts the key wherever it occurs in a request.
        if _REDACTED in each.path or any(_REDACTED in value for _, value in each.headers):
            sent.append("the API key")
        seen = f"the download request had {', '.join(dict.fromkeys(sent)) or 'no key'}"
        yield Observation(holds=not sent, seen=seen, event=each.number)


RULES: Final = (
    Rule(
        id="C-RES-001",
        title="Must read the result addresses from resultJson, a string that contains JSON",
        clauses=("STA-6",),
        axis=Axis.OUTCOME,
        level=Level.MUST,
        event="task that the client saw succeed",
        advice="resultJson is a string. Parse it as JSON, read resultUrls, and download each "
        "address.",
        check=_check_result_json,
    ),
    Rule(
        id="C-RES-002",
        title="Must download every result of a task",
        clauses=("STA-7", "BIL-1"),
        axis=Axis.OUTCOME,
        level=Level.MUST,
        event="download of a task that the client saw succeed",
        advice="Download every address in resultUrls. Each image is billed.",
        check=_check_completeness,
    ),
    Rule(
        id="C-RES-003",
        title="Must download results before they expire",
        clauses=("RES-1",),
        axis=Axis.OUTCOME,
        level=Level.MUST,
        event="download",
        advice="Download results at once and keep the files. Addresses expire after 15 days, or "
        "after 24 hours according to another page.",
        check=_check_expiry,
    ),
    Rule(
        id="C-RES-004",
        title="Must detect a damaged download and retry it",
        clauses=("RES-2",),
        axis=Axis.OUTCOME,
        level=Level.MUST,
        event="damaged download",
        advice="Compare the size with Content-Length and check that the image is complete. If it "
        "is not, download it again. Write to a temporary file until then.",
        check=_check_damaged_download,
    ),
    Rule(
        id="C-RES-005",
        title="Must not send its API key to the result host",
        clauses=("RES-3",),
        axis=Axis.MANNERS,
        level=Level.MUST,
        event="download",
        advice="Download without an Authorization header. Results are on another host and need "
        "no key.",
        check=_check_secrecy,
    ),
)
