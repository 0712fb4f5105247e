"""The content of `bench-peers.json`."""

from typing import Literal

import msgspec

from benchmarks.figures import Spread
from benchmarks.machine import Machine


class OperationResults(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured for one operation of one server."""

    per_s: Spread
    p50_us: Spread
    p99_us: Spread


class ContenderResults(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured for one server."""

    version: str
    status: OperationResults
    submit: OperationResults


class PeerResults(msgspec.Struct, frozen=True, kw_only=True):
    """What `make bench-peers` has measured, and where."""

    version: Literal[1] = 1
    date: str
    commit: str | None
    machine: Machine
    connections: int
    load_s: int  # How long each load lasts.
    peers: dict[str, ContenderResults]
