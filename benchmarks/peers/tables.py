"""Print the results of the servers as a table."""

from collections.abc import Sequence

from benchmarks.peers.results import OperationResults, PeerResults
from benchmarks.tables import columns, markdown

_HEAD = ("server", "version", "status", "p50", "p99", "submits", "p50", "p99")


def peers_text(results: PeerResults) -> str:
    """Return a table of the medians for a terminal."""
    return columns([_HEAD, *_rows(results)])


def peers_markdown(results: PeerResults) -> str:
    """Return a table of the medians in Markdown."""
    return markdown(_HEAD, _rows(results))


def _rows(results: PeerResults) -> list[Sequence[str]]:
    return [
        (name, each.version, *_cells(each.status), *_cells(each.submit))
        for name, each in results.peers.items()
    ]


def _cells(found: OperationResults) -> tuple[str, str, str]:
    return (
        f"{found.per_s.median:,.0f}/s",
        f"{found.p50_us.median / 1_000:.1f} ms",
        f"{found.p99_us.median / 1_000:.1f} ms",
    )
