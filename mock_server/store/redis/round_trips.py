"""What the round trips of a replica do in addition to its commands."""

from mock_server.store.redis.checkpoints import Checkpoints
from mock_server.store.redis.client import Command
from mock_server.store.redis.due import DueInstants
from mock_server.store.redis.events import Events
from mock_server.store.redis.expiry import Expiry
from mock_server.store.redis.places import Places
from mock_server.store.redis.pump import PendingWork
from mock_server.store.redis.replica import Replica
from mock_server.store.redis.replicas import Replicas


class RoundTrips:
    """Implements `pump.Observer`; see there for its methods."""

    def __init__(
        self,
        *,
        replicas: Replicas,
        events: Events,
        checkpoints: Checkpoints,
        expiry: Expiry,
        due: DueInstants,
        places: Places,
    ) -> None:
        self._replicas = replicas
        self._events = events
        self._checkpoints = checkpoints
        self._expiry = expiry
        self._due = due
        self._places = places

    def commands_before(self, replica: Replica, work: PendingWork) -> list[Command]:
        replica.is_used = True
        commands = self._expiry.renewals(replica)
        commands += self._due.commands_before(replica, work.commands)
        if work.places:
            commands += self._places.assign(replica.sandbox.id, work.places)
        return commands

    def commands_after(self, replica: Replica, work: PendingWork) -> list[Command]:
        return self._due.commands_after(replica, work.commands)

    def note_applied(self, replica: Replica, work: PendingWork) -> bool:
        own = work.own
        # If the outcomes are unknown, the tasks may exist, so their places stay taken.
        if own is not None and own.outcomes is not None:
            self._places.correct(replica.sandbox.id, own.added_tasks - work.places)
        return self._due.needs_round_trip(replica, has_commands=bool(work.commands))

    async def before_results(self) -> None:
        await self._places.write()

    def gone(self, replica: Replica, work: PendingWork) -> None:
        self._places.correct(replica.sandbox.id, -work.places)
        self.forget(replica)

    def reloaded(self, replica: Replica, last_entry: int) -> None:
        self._events.reloaded(replica.sandbox, last_entry)

    def checkpoint_due(self, replica: Replica) -> None:
        self._checkpoints.write(replica)

    def forget(self, replica: Replica) -> None:
        """Forget a replica whose sandbox was removed, and notify its followers."""
        if self._replicas.drop(replica):
            self._events.removed(replica.sandbox)
