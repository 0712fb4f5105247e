"""Limit connections, so that the server can always accept clients and open files."""

import math
import resource
from dataclasses import dataclass
from typing import Self

# These are for callbacks, the store, downloads of images, and modules that are imported late.
_MAX_RESERVED_FILES = 2_100
_OWN_FILES = 36  # Standard streams, the event loop, the listener, and those of the store.
_MIN_REQUESTS = 4


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
class OutgoingLimit:
    """How many requests of one kind may be in progress, and how many idle connections are kept.

    Without it, receivers of callbacks and hosts of images that never respond could use all file
    descriptors, and no client could connect any more.
    """

    max_requests: int
    max_idle: int

    @classmethod
    def of_callbacks(cls) -> Self:
        """Return a limit for callbacks. It leaves a half of the reserved file descriptors."""
        return cls._of_share(1 / 2, cls(max_requests=1_000, max_idle=512))

    @classmethod
    def of_downloads(cls) -> Self:
        """Return a limit for downloads of images, which are rarer than callbacks, and larger."""
        return cls._of_share(1 / 8, cls(max_requests=128, max_idle=32))

    @classmethod
    def _of_share(cls, share: float, most: Self) -> Self:
        max_files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if max_files == resource.RLIM_INFINITY:
            return most
        files = max(_MIN_REQUESTS, int((_reserved(max_files) - _OWN_FILES) * share))
        idle = files * most.max_idle // most.max_requests
        return cls(min(most.max_requests, files), min(most.max_idle, idle))


def _reserved(max_files: int) -> int:
    """Return how many of the files are not for connections of clients."""
    return min(_MAX_RESERVED_FILES, max_files // 2)
