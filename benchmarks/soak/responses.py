"""The responses of a soak test: expected, injected, or a problem."""

from collections import Counter
from collections.abc import Collection

from benchmarks.soak.problems import Problems


class ResponseAccount:
    """Counts responses, and compares each one with what its request expects."""

    def __init__(self) -> None:
        self.problems = Problems()
        self.statuses: Counter[int] = Counter()
        self.requests: Counter[str] = Counter()
        self.injected_errors = 0  # Responses of 5xx that a rule injected.
        self.injected_breaks = 0  # Responses that a rule destroyed.

    def add(
        self, request: str, status: int, expected: Collection[int], *, is_injected: bool, body: str
    ) -> None:
        """Note a response. An injected one is no problem; any other 5xx is one."""
        self.requests[request] += 1
        self.statuses[status] += 1
        if is_injected:
            self.injected_errors += status >= 500
        elif status not in expected:
            kind = "a 5xx that no rule injected" if status >= 500 else "an unexpected status"
            self.problems.add(kind, f"{request}: {status} {body[:200]}")

    def add_break(self, request: str, error: str, *, is_injected: bool) -> None:
        """Note a request without a valid response."""
        self.requests[request] += 1
        if is_injected:
            self.injected_breaks += 1
        else:
            self.problems.add("no valid response", f"{request}: {error}")
