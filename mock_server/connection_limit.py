"""Limit connections, so that the server can always accept clients and open files."""

import math
import resource
from dataclasses import dataclass
from typing import Self

# These are for callbacks, the store, downloads of images, and modules that are imported late.
_MAX_RESERVED_FILES = 2_100
_OWN_FILES = 36  # Standard streams, the event loop, the listener, and those of the store.
_MIN_ATTEMPTS = 4


@dataclass(frozen=True, slots=True)
class ConnectionLimit:
    """How many connections of clients a process may have.

    Without it, clients could use all file descriptors. The system would then close new connections
    without a response, and requests of other clients would fail.
    """

    max_connections: float = math.inf
    max_files: float = math.inf

    @classmethod
    def of_process(cls) -> Self:
        """Return a limit that leaves file descriptors for other purposes."""
        max_files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if max_files == resource.RLIM_INFINITY:
            return cls()
        return cls(max_files - _reserved(max_files), max_files)

    def is_exceeded(self, connections: int) -> bool:
        """Tell whether the newest of so many connections must be rejected."""
        return connections > self.max_connections

    def is_near_end(self, connections: int) -> bool:
        """Tell whether too few files are left to wait until the client has read a rejection."""
        return connections > (self.max_connections + self.max_files) / 2


@dataclass(frozen=True, slots=True)
class CallbackLimit:
    """How many attempts may be in progress, and how many idle connections are kept.

    Without it, receivers that never respond could use all file descriptors, and no client could
    connect any more.
    """

    max_attempts: int = 1_000
    max_idle: int = 512

    @classmethod
    def of_process(cls) -> Self:
        """Return a limit that leaves a part of the reserved file descriptors for other purposes."""
        max_files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if max_files == resource.RLIM_INFINITY:
            return cls()
        share = max(_MIN_ATTEMPTS, (_reserved(max_files) - _OWN_FILES) // 2)
        return cls(min(cls().max_attempts, share), min(cls().max_idle, share // 2))


def _reserved(max_files: int) -> int:
    """Return how many of the files are not for connections of clients."""
    return min(_MAX_RESERVED_FILES, max_files // 2)
