"""The time to live of the keys of a sandbox. Each use of the sandbox renews it."""

from mock_server.domain.ports import RealClock
from mock_server.store.redis.client import Command
from mock_server.store.redis.keys import SANDBOXES, SandboxKeys
from mock_server.store.redis.replica import Replica

_PARTS = 100  # A use renews the keys if a hundredth of their time to live has passed.
_LONGEST_MS = 60_000  # The order in which sandboxes were used must be known to the minute.


class Expiry:
    def __init__(self, ttl_ms: int, clock: RealClock) -> None:
        self._ttl_ms = ttl_ms
        self._clock = clock

    def renewals(self, replica: Replica) -> list[Command]:
        """Return the commands that renew the keys of a sandbox, or none if it is too early."""
        now_ms = self._clock.now_ns() // 1_000_000
        if now_ms < replica.renewed_ms + min(self._ttl_ms // _PARTS, _LONGEST_MS):
            return []
        replica.renewed_ms = now_ms
        return [
            *self.of_keys(replica.keys),
            ("ZADD", SANDBOXES, "XX", now_ms, replica.sandbox.id),
        ]

    def of_keys(self, keys: SandboxKeys) -> list[Command]:
        return [("PEXPIRE", key, self._ttl_ms) for key in keys.all]
