"""The bound on the memory of the journals of all sandboxes (decision 20)."""

from collections.abc import Mapping
from heapq import heapify, heapreplace

MAX_JOURNAL_BYTES = 256 * 1024 * 1024
# This part of the limit is freed at once. Otherwise each new entry would need a search for the
# largest journal. Dropping thousands of entries takes a few milliseconds.
_FREED_PART = 64
_KEPT_PART = 7 / 8  # The largest journal is cut to this part of its size.


def trimmed_sizes(sizes: Mapping[str, int], max_bytes: int) -> dict[str, int]:
    """Return how large the largest journals may be, so that all together are within a limit.

    `sizes` are the bytes of all journals by the ids of their sandboxes. The result has the same
    form, and is empty if the journals are within the limit.
    """
    left_bytes = sum(sizes.values())
    if left_bytes <= max_bytes:
        return {}
    trimmed: dict[str, int] = {}
    largest = [(-size, sandbox_id) for sandbox_id, size in sizes.items()]
    heapify(largest)
    while left_bytes > max_bytes - max_bytes // _FREED_PART:
        size, sandbox_id = -largest[0][0], largest[0][1]
        trimmed[sandbox_id] = kept = int(size * _KEPT_PART)
        heapreplace(largest, (-kept, sandbox_id))
        left_bytes -= size - kept
    return trimmed
