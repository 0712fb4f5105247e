"""The time to live of all keys in Redis, so that a Redis that nobody uses any more becomes empty.

Each use of a sandbox renews its keys. What all processes share lives longer, and each process
renews it. So it cannot expire while there is a sandbox: the process that has used the sandbox last
has renewed it at most `RENEW_EVERY_S` before, and that is much less than it lives longer.
"""

from mock_server.domain.ports import RealClock
from mock_server.store.redis.client import Command
from mock_server.store.redis.keys import SANDBOXES, SHARED, SandboxKeys, origin_key
from mock_server.store.redis.replica import Replica

RENEW_EVERY_S = 3600.0
LONGEST_PAUSE_MS = 60_000  # The order in which sandboxes were used must be known to the minute.
_PARTS = 100  # A use renews the keys if a hundredth of their time to live has passed.
_LONGER_MS = 86_400_000


class Expiry:
    def __init__(self, ttl_ms: int, clock: RealClock) -> None:
        self._ttl_ms = ttl_ms
        self.shared_ttl_ms = ttl_ms + _LONGER_MS
        self._clock = clock

    def expired_ms(self) -> int:
        """Return the real instant; a sandbox that was last used before it has expired."""
        return self._clock.now_ns() // 1_000_000 - self._ttl_ms

    def renewals(self, replica: Replica) -> list[Command]:
        """Return the commands that renew the keys of a sandbox, or none if it is too early."""
        now_ms = self._clock.now_ns() // 1_000_000
        if now_ms < replica.renewed_ms + min(self._ttl_ms // _PARTS, LONGEST_PAUSE_MS):
            return []
        replica.renewed_ms = now_ms
        sandbox = replica.sandbox
        commands = self.of_keys(replica.keys)
        if sandbox.origin != sandbox.id:
            commands.append(self.of_key(origin_key(sandbox.origin)))
        # The clocks of machines differ, so the latest instant counts.
        return [*commands, ("ZADD", SANDBOXES, "XX", "GT", now_ms, sandbox.id)]

    def of_keys(self, keys: SandboxKeys) -> list[Command]:
        return [self.of_key(key) for key in keys.all]

    def of_key(self, key: str) -> Command:
        """Return what is sent after a command that may create a key of a sandbox."""
        return ("PEXPIRE", key, self._ttl_ms)

    def of_shared(self, key: str) -> Command:
        """Return what is sent after a command that may create a key that processes share."""
        return ("PEXPIRE", key, self.shared_ttl_ms, "NX")

    def shared_renewals(self) -> list[Command]:
        """Return the commands that renew all keys that processes share.

        A process with a shorter time to live does not change that of the others.
        """
        return [
            command
            for key in SHARED
            for command in (self.of_shared(key), ("PEXPIRE", key, self.shared_ttl_ms, "GT"))
        ]
