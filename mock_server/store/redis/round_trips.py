"""What the round trips of a replica do in addition to its commands."""

from mock_server.store.redis.checkpoints import Checkpoints
from mock_server.store.redis.client import Command
from mock_server.store.redis.due import DueInstants
from mock_server.store.redis.events import Events
from mock_server.store.redis.expiry import Expiry
from mock_server.store.redis.pending_work import PendingWork
from mock_server.store.redis.places import Places
from mock_server.store.redis.replica import Replica
from mock_server.store.redis.replicas import Replicas
from mock_server.store.redis.shared_time import SharedTime


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
        time: SharedTime,
    ) -> None:
        self._replicas = replicas
        self._events = events
        self._checkpoints = checkpoints
        self._expiry = expiry
        self._due = due
        self._places = places
        self._time = time

    def commands_before(self, replica: Replica, work: PendingWork) -> list[Command]:
        replica.is_used = True
        commands = self._expiry.renewals(replica)
        return commands + self._due.commands_before(replica, work.commands)

    def commands_after(self, replica: Replica, work: PendingWork) -> list[Command]:
        return self._due.commands_after(replica, work.commands)

    def note_applied(self, replica: Replica, work: PendingWork) -> bool:
        self._time.catch_up(replica.real_ms)
        own = work.own
        if own is not None:
            if own.outcomes is None:  # The replica has the tasks, whatever the outcomes were.
                self._places.note_count(replica)
                self._places.note_result(replica, 0, work.take_places())
            else:
                self._places.note_result(replica, own.added_tasks, work.take_places())
        return self._due.needs_round_trip(replica, has_commands=bool(work.commands))

    async def before_results(self) -> None:
        await self._places.write()

    def gone(self, replica: Replica, work: PendingWork) -> None:
        self._places.give_back(work.take_places())
        self.forget(replica)

    def failed(self, replica: Replica, work: PendingWork) -> None:
        if work.commands:
            self._places.note_doubt(replica.sandbox.id, work.take_places())

    def reloaded(self, replica: Replica, last_entry: int, *, is_dropped: bool) -> None:
        self._events.reloaded(replica.sandbox, last_entry, is_dropped=is_dropped)

    def checkpoint_due(self, replica: Replica) -> None:
        self._checkpoints.write(replica)

    def forget(self, replica: Replica) -> None:
        """Forget a replica whose sandbox was removed, and notify its followers."""
        if self._replicas.drop(replica):
            self._events.removed(replica.sandbox)
