"""What a process does again and again while it uses Redis, beside the requests."""

from mock_server.store.redis.background import Background
from mock_server.store.redis.connection import RedisConnection, checked
from mock_server.store.redis.events import Events
from mock_server.store.redis.expiry import RENEW_EVERY_S, Expiry
from mock_server.store.redis.journals import Journals
from mock_server.store.redis.metrics import SharedMetrics
from mock_server.store.redis.places import Places
from mock_server.store.redis.processes import Processes
from mock_server.store.redis.recount import EVERY_S as RECOUNT_EVERY_S
from mock_server.store.redis.recount import Recount
from mock_server.store.redis.replicas import Replicas
from mock_server.store.redis.sandboxes import Sandboxes
from mock_server.store.redis.watch import Watch

_LOOK_EVERY_S = 1.0
_EXCHANGE_EVERY_S = 0.05
_TRIM_EVERY_S = 0.2
_DROP_IDLE_EVERY_S = 300.0


class Housekeeping:
    """Renews the lease, looks after what others have left, and exchanges news with them."""

    def __init__(
        self,
        connection: RedisConnection,
        *,
        processes: Processes,
        places: Places,
        recount: Recount,
        watch: Watch,
        sandboxes: Sandboxes,
        replicas: Replicas,
        journals: Journals,
        events: Events,
        metrics: SharedMetrics,
        expiry: Expiry,
    ) -> None:
        self._connection = connection
        self._processes = processes
        self._places = places
        self._recount = recount
        self._watch = watch
        self._sandboxes = sandboxes
        self._replicas = replicas
        self._journals = journals
        self._events = events
        self._metrics = metrics
        self._expiry = expiry
        self._background = Background()

    def start(self) -> None:
        repeat, renew_every_s = self._background.repeat, self._processes.renew_every_s
        repeat(self._processes.renew, renew_every_s)
        repeat(self.renew_places, renew_every_s)
        repeat(self._recount.run_in_turn, RECOUNT_EVERY_S)
        repeat(self.renew_shared, RENEW_EVERY_S)
        repeat(self._watch.look, _LOOK_EVERY_S)
        repeat(self.tidy, _LOOK_EVERY_S)
        repeat(self._journals.trim, _TRIM_EVERY_S)
        repeat(self.exchange, _EXCHANGE_EVERY_S)
        repeat(self.drop_idle, _DROP_IDLE_EVERY_S)

    async def aclose(self) -> None:
        await self._background.aclose()

    async def renew_places(self) -> None:
        await self._places.renew(self._sandboxes.synced)

    async def renew_shared(self) -> None:
        """Renew the time to live of the keys that all sandboxes share."""
        for reply in await self._connection.send(self._expiry.shared_renewals()):
            checked(reply)

    async def tidy(self) -> None:
        """Free what processes that have ended, and sandboxes that have expired, have left."""
        for process in await self._processes.ended():
            self._recount.is_needed = True
            await self._metrics.absorb(process)
        if self._recount.is_needed:
            await self._recount.run()
        await self._sandboxes.remove_expired(self._expiry.expired_ms())

    async def exchange(self) -> None:
        """Fetch what followers wait for, and publish the counters of this process."""
        await self._sandboxes.synced_of(list(self._events.followed))
        await self._metrics.publish()

    async def drop_idle(self) -> None:
        """Forget the replicas that no request and no follower needs now."""
        self._replicas.drop_idle(self._events.is_followed)
