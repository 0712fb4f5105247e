"""Limit the connections of clients, so that the server can always open files and connections."""

import math
import resource
from dataclasses import dataclass
from typing import Self

# These are for callbacks, the store, downloads of images, and modules that are imported late.
_MAX_RESERVED_FILES = 1_100


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
        return cls(max_files - min(_MAX_RESERVED_FILES, max_files // 2), max_files)

    def is_exceeded(self, connections: int) -> bool:
        """Tell whether the newest of so many connections must be rejected."""
        return connections > self.max_connections

    def is_near_end(self, connections: int) -> bool:
        """Tell whether too few files are left to wait until the client has read a rejection."""
        return connections > (self.max_connections + self.max_files) / 2
