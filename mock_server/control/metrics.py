"""The metrics of the server in the text format of Prometheus."""

from collections.abc import Iterable
from itertools import accumulate

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from mock_server.domain.operation import Operation
from mock_server.domain.server_metrics import BUCKETS_S, ServerMetrics


def exposition(
    metrics: ServerMetrics, sandboxes: int, live_tasks: int, journal_bytes: int
) -> bytes:
    """Return the metrics in the text format of Prometheus."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_MetricsCollector(metrics, sandboxes, live_tasks, journal_bytes))
    return generate_latest(registry)


class _MetricsCollector(Collector):
    def __init__(
        self, metrics: ServerMetrics, sandboxes: int, live_tasks: int, journal_bytes: int
    ) -> None:
        self._metrics = metrics
        self._sandboxes = sandboxes
        self._live_tasks = live_tasks
        self._journal_bytes = journal_bytes

    def collect(self) -> Iterable[Metric]:
        metrics = self._metrics
        requests = CounterMetricFamily(
            "apixo_mock_requests",
            "Requests by operation and status.",
            labels=["operation", "status"],
        )
        for operation, status in sorted(metrics.requests):
            count = metrics.requests[operation, status].count
            requests.add_metric([operation, str(status)], count)
        yield requests
        yield CounterMetricFamily(
            "apixo_mock_unauthorized",
            "Requests without a valid API key, or without permission.",
            value=metrics.unauthorized,
        )
        yield CounterMetricFamily(
            "apixo_mock_store_unavailable",
            "Requests and calls that got 503 because the store could not be used.",
            value=metrics.unavailable,
        )
        yield self._latency()
        yield CounterMetricFamily(
            "apixo_mock_tasks_submitted", "Submitted tasks.", value=metrics.submitted
        )
        ended = CounterMetricFamily(
            "apixo_mock_tasks_ended",
            "Ended tasks by outcome and fail code.",
            labels=["outcome", "fail_code"],
        )
        for code, count in sorted(metrics.ended.items()):
            ended.add_metric(["failed" if code else "success", code], count)
        yield ended
        yield _by_label(
            "apixo_mock_callbacks", "Callback attempts by outcome.", "outcome",
            metrics.callbacks,
        )  # fmt: skip
        yield _by_label("apixo_mock_faults", "Injected faults.", "fault", metrics.faults)
        yield CounterMetricFamily(
            "apixo_mock_journal_trimmed_entries",
            "Journal entries dropped because of --journal-memory.",
            value=metrics.trimmed_entries,
        )
        yield GaugeMetricFamily(
            "apixo_mock_journal_bytes",
            "Bytes of memory of all journals.",
            value=self._journal_bytes,
        )
        yield GaugeMetricFamily("apixo_mock_sandboxes", "Sandboxes.", value=self._sandboxes)
        yield GaugeMetricFamily(
            "apixo_mock_live_tasks", "Tasks that have not ended.", value=self._live_tasks
        )

    def _latency(self) -> HistogramMetricFamily:
        family = HistogramMetricFamily(
            "apixo_mock_request_duration_seconds",
            "Real time from request to response.",
            labels=["operation"],
        )
        for operation in Operation:
            measured = [
                each for (name, _), each in self._metrics.requests.items() if name is operation
            ]
            counts = [
                sum(counts) for counts in zip(*(each.buckets for each in measured), strict=True)
            ]
            below = list(accumulate(counts))
            if below and below[-1]:
                duration_s = sum(each.total_duration_us for each in measured) / 1_000_000
                bounds = (*map(str, BUCKETS_S), "+Inf")
                family.add_metric([operation], list(zip(bounds, below, strict=True)), duration_s)
        return family


def _by_label(name: str, about: str, label: str, counts: dict[str, int]) -> CounterMetricFamily:
    family = CounterMetricFamily(name, about, labels=[label])
    for value, count in sorted(counts.items()):
        family.add_metric([value], count)
    return family
