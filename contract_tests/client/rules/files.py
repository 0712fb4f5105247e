"""C-OUT: the pictures in the output directory of a client."""

from collections.abc import Iterator
from typing import Final

from contract_tests.client.evidence import Evidence
from contract_tests.client.records import Trait
from contract_tests.client.rule import Axis, Level, Observation, Rule
from contract_tests.client.stored_files import StoredPictures
from contract_tests.contract.text import count

_MAX_NAMES: Final = 3


def _check_completeness(evidence: Evidence) -> Iterator[Observation]:
    """Check that a client which reports success has stored what it downloaded."""
    client_exit = evidence.client_exit
    downloads = evidence.complete_downloads()
    known = {url: evidence.pictures[url] for url in downloads if url in evidence.pictures}
    if client_exit is None or client_exit.exit_status != 0 or not known:
        return
    stored = StoredPictures(files=client_exit.files or (), served=known)
    kept = len(stored.copies)
    if kept + stored.converted < len(known) and stored.has_other_content:
        return
    names = sorted(name for found in stored.copies.values() for name in found)
    seen = f"{count(len(known), 'result')} downloaded, {kept + stored.converted} stored"
    if names:
        seen += f" ({', '.join(names[:_MAX_NAMES])})"
    last = max(each.number for found in downloads.values() for each in found)
    yield Observation(holds=kept + stored.converted >= len(known), seen=seen, event=last)


def _check_content(evidence: Evidence) -> Iterator[Observation]:
    client_exit = evidence.client_exit
    if client_exit is None or not evidence.exchanges:
        return
    files = client_exit.files or ()
    stored = StoredPictures(files=files, served=evidence.pictures)
    for defect in stored.defects:
        seen = f"{defect.name} {defect.problem}"
        # A client that reports a failure does not pass the file off as its result.
        yield Observation(holds=False, seen=seen, is_minor=client_exit.is_failure)
    if not stored.defects:
        yield Observation(holds=True, seen=f"{count(len(files), 'file')}, none of them damaged")


RULES: Final = (
    Rule(
        id="C-OUT-001",
        title="Must store every result that it downloads in a file of its own",
        clauses=("STA-7", "BIL-1"),
        axis=Axis.OUTCOME,
        level=Level.MUST,
        event="complete download of a client that reported success",
        advice="Make a file name for each result, for example with the task id and a number. Check "
        "that the file does not exist yet.",
        check=_check_completeness,
        event_needs=Trait.NO_DOWNLOAD,
        needs_exit=True,
        needs_files=True,
    ),
    Rule(
        id="C-OUT-002",
        title="Must store only complete pictures as pictures",
        clauses=("RES-2",),
        axis=Axis.OUTCOME,
        level=Level.MUST,
        event="request of the client",
        advice="Check the status, the Content-Type and the size of a download before you write the "
        "file. Write to a temporary file and rename it when the picture is complete.",
        check=_check_content,
        needs_exit=True,
        needs_files=True,
    ),
)
