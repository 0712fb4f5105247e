"""The counters of all processes. Each counts its own commands and publishes the sums."""

from collections.abc import Iterable

import msgspec

from mock_server.domain.operation import Operation
from mock_server.domain.server_metrics import RequestMetrics, ServerMetrics
from mock_server.store.redis.connection import RedisConnection, checked
from mock_server.store.redis.expiry import Expiry
from mock_server.store.redis.keys import METRICS

_ENDED = "ended"  # The field with the sums of processes that have ended.


class _PublishedCounters(msgspec.Struct, array_like=True):
    requests: list[tuple[Operation, int, RequestMetrics]]
    submitted: int
    ended: dict[str, int]
    callbacks: dict[str, int]
    faults: dict[str, int]
    unauthorized: int
    unavailable: int = 0  # Earlier versions do not publish it.
    trimmed_entries: int = 0  # Nor do they publish this.


_decoder = msgspec.msgpack.Decoder(_PublishedCounters)


class SharedMetrics:
    def __init__(
        self, connection: RedisConnection, own: str, metrics: ServerMetrics, expiry: Expiry
    ) -> None:
        self._connection = connection
        self._expiry = expiry
        self._own = own
        self._metrics = metrics
        self._written = b""

    async def publish(self) -> None:
        """Write the counters of this process if they have changed."""
        raw = _encoded(self._metrics)
        if raw != self._written:
            await self._write(self._own, raw)
            self._written = raw

    def forget(self) -> None:
        """Publish again, because Redis has lost its data."""
        self._written = b""

    async def total(self) -> ServerMetrics:
        """Return the sums of all processes."""
        [fields] = await self._connection.send([("HGETALL", METRICS)])
        names, values = checked(fields)[::2], checked(fields)[1::2]
        others = [
            raw for name, raw in zip(names, values, strict=True) if name.decode() != self._own
        ]
        return _sum([*others, _encoded(self._metrics)])

    async def absorb(self, process: str) -> None:
        """Add the counters of a process that has ended to those of all such processes."""
        ended, own, removed = map(
            checked,
            await self._connection.send(
                [
                    ("HGET", METRICS, _ENDED),
                    ("HGET", METRICS, process),
                    ("HDEL", METRICS, process),
                ]
            ),
        )
        if removed:
            total = _encoded(_sum([raw for raw in (ended, own) if raw]))
            await self._write(_ENDED, total)

    async def _write(self, field: str, raw: bytes) -> None:
        await self._connection.send(
            [("HSET", METRICS, field, raw), self._expiry.of_shared(METRICS)]
        )


def _encoded(metrics: ServerMetrics) -> bytes:
    return msgspec.msgpack.encode(
        _PublishedCounters(
            requests=[(*key, value) for key, value in metrics.requests.items()],
            submitted=metrics.submitted,
            ended=metrics.ended,
            callbacks=metrics.callbacks,
            faults=metrics.faults,
            unauthorized=metrics.unauthorized,
            unavailable=metrics.unavailable,
            trimmed_entries=metrics.trimmed_entries,
        )
    )


def _sum(published: Iterable[bytes]) -> ServerMetrics:
    total = ServerMetrics()
    for raw in published:
        each = _decoder.decode(raw)
        for operation, status, requests in each.requests:
            of_key = total.requests.setdefault((operation, status), RequestMetrics())
            of_key.unmeasured += requests.unmeasured
            of_key.total_duration_us += requests.total_duration_us
            of_key.buckets = [
                sum(pair) for pair in zip(of_key.buckets, requests.buckets, strict=True)
            ]
        total.submitted += each.submitted
        total.ended.update(each.ended)
        total.callbacks.update(each.callbacks)
        total.faults.update(each.faults)
        total.unauthorized += each.unauthorized
        total.unavailable += each.unavailable
        total.trimmed_entries += each.trimmed_entries
    return total
