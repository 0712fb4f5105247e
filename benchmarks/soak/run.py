"""Run a soak test: start the server, warm it up, load it, wait until it is idle, and check it."""

import asyncio
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import msgspec

from benchmarks.errors import BenchError
from benchmarks.machine import commit, now_text
from benchmarks.mock import HEALTH
from benchmarks.processes import Server, free_port, python_module, running
from benchmarks.receiver import Receiver
from benchmarks.soak.callback_account import CallbackAccount
from benchmarks.soak.callback_kinds import CallbackKind, ReceiverMode, response
from benchmarks.soak.checks import (
    LEAST_JUDGED_S,
    Limits,
    descriptor_check,
    held_check,
    memory_check,
    problem_check,
)
from benchmarks.soak.client import SoakClient
from benchmarks.soak.observation import Observation
from benchmarks.soak.observed_server import Held
from benchmarks.soak.pace import Pace
from benchmarks.soak.report import SoakReport
from benchmarks.soak.responses import ResponseAccount
from benchmarks.soak.series import Sample
from benchmarks.soak.server_log import log_problems
from benchmarks.soak.traffic import Key, Traffic, soak_rules

# The limits are low, so that the server reaches them in the first half of ten minutes. But a task
# must not be dropped before its callback has ended, which takes up to a minute.
MAX_TASKS = 8_000
_JOURNAL_BYTES = 6 * 1024 * 1024
_SPEED = 60  # A callback that is never accepted is given up after 12.5 minutes of the clock.
_REDIS_PIPELINES = 8  # Each of them uses a connection.
_CONCURRENT = 64
_READ_ALL_S = 20.0  # All deliveries are read at this interval, before their tasks are dropped.
_POLL_S = 0.5
_SAMPLES = 300


class SoakSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line sets."""

    minutes: float
    rate: int  # Steps per second, each of one or more requests.
    keys: int
    seed: int
    store: str
    workers: int
    kinds: list[CallbackKind]
    patience_s: float = 120.0  # How long callbacks and connections may take to end after the load.
    server: str = "benchmarks.soak.observed_server"  # The module that runs the server.

    @property
    def pooled(self) -> int:
        """How many connections to its store the server keeps open after a load."""
        return _REDIS_PIPELINES * self.workers if self.store.startswith("redis") else 0


class Rest(msgspec.Struct, frozen=True, kw_only=True):
    """What a server holds while it has nothing to do."""

    descriptors: int
    held: Held


def run_soak(settings: SoakSettings, note: Callable[[str], None]) -> SoakReport:
    """Run a soak test and return its report. `note` shows progress.

    Raise BenchError if the server does not start, and ServerEnded if it ends too early.
    """
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as log:
        config = Path(folder) / "soak.toml"
        config.write_text(_toml(soak_rules()), "utf-8")
        port, prefix = free_port(), Path(folder) / "held"
        switches = [
            *("--config", str(config), "--seed", str(settings.seed), "--speed", str(_SPEED)),
            *("--max-tasks", str(MAX_TASKS), "--journal-memory", str(_JOURNAL_BYTES)),
            *("--callback-timeout", "5s", "--egress", "loopback", "--log-level", "warning"),
            *("--store", settings.store, "--workers", str(settings.workers)),
        ]
        command = python_module(settings.server, str(prefix))
        began = now_text()
        with running(
            [*command, *switches, "--port", str(port)], port=port, probe=HEALTH, log=log
        ) as server:
            soak = _Soak(settings, server, Observation(server.pid, prefix), note)
            asyncio.run(soak.run())
        log.seek(0)
        lines = log.read().decode("utf-8", "replace").splitlines()
    return soak.report(began, ["mock-server", *switches], lines)


class _Soak:
    """One soak test of a running server."""

    def __init__(
        self,
        settings: SoakSettings,
        server: Server,
        observation: Observation,
        note: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._server = server
        self._observation = observation
        self._note = note
        self._responses = ResponseAccount()
        self._callbacks = CallbackAccount()
        self._client = SoakClient(server.url, self._responses)
        self._samples: list[Sample] = []
        self._limits = Limits(trimmed_entries=0, submitted=0, max_tasks=MAX_TASKS)
        self._before = self._after = Rest(descriptors=0, held=Held(tasks=0, threads=0))

    async def run(self) -> None:
        settings = self._settings
        receiver = Receiver(self._receive)
        with _closed_port() as nowhere:

            def callback_url(kind: CallbackKind, number: int) -> str:
                is_nowhere = kind.mode is ReceiverMode.NONE
                base_url = f"http://127.0.0.1:{nowhere}" if is_nowhere else receiver.url
                return f"{base_url}/{kind.mode}/{number}"

            traffic = Traffic(
                self._client,
                self._callbacks,
                settings.kinds,
                callback_url,
                keys=settings.keys,
                seed=settings.seed,
            )
            self._note("warm-up: one request of each kind")
            async with receiver.listening(), self._client.open():
                await traffic.step_all()
                await self._drain(traffic, [traffic.first_key])
                if settings.minutes * 60 >= LEAST_JUDGED_S:
                    await traffic.fill_pictures()
            self._before = await self._rest(None)
            self._note(f"load: {settings.rate} steps/s for {settings.minutes:g} minutes")
            async with receiver.listening(), self._client.open():
                await traffic.prepare()
                await self._load(traffic)
                self._note("drain: wait until all callbacks have ended")
                await self._drain(traffic, traffic.keys)
            self._callbacks.close()
            self._note("rest: wait until all connections are closed")
            self._after = await self._rest(self._before)

    def report(self, date: str, command: list[str], log: list[str]) -> SoakReport:
        responses, callbacks = self._responses, self._callbacks
        deliveries = callbacks.ended.total()
        checks = [
            memory_check(self._samples, self._limits),
            descriptor_check(
                self._samples,
                self._before.descriptors,
                self._after.descriptors,
                pooled=self._settings.pooled,
            ),
            held_check(self._before.held.tasks, self._after.held.tasks),
            problem_check(
                "callbacks",
                callbacks.problems,
                f"{deliveries} deliveries have ended as they must, {callbacks.received} callbacks"
                " received",
            ),
            problem_check(
                "responses",
                responses.problems,
                f"{responses.statuses.total()} responses, {responses.injected_errors} of them"
                f" injected 5xx; {responses.injected_breaks} broken on purpose",
            ),
            problem_check("log", log_problems(log), f"{len(log)} lines"),
        ]
        return SoakReport(
            date=date,
            commit=commit(),
            command=command,
            minutes=self._settings.minutes,
            keys=self._settings.keys,
            seed=self._settings.seed,
            requests=dict(responses.requests.most_common()),
            statuses=dict(sorted(responses.statuses.items())),
            callbacks=dict(sorted(callbacks.ended.items())),
            checks=checks,
            samples=self._samples,
        )

    def _receive(self, path: str) -> bytes | None:
        _, mode, number = path.split("/")
        return response(ReceiverMode(mode), self._callbacks.receive(int(number)))

    async def _load(self, traffic: Traffic) -> None:
        duration_s = self._settings.minutes * 60
        helpers = [
            asyncio.create_task(each)
            for each in (self._sample(duration_s), self._read_limits(duration_s / 2))
        ]
        pace = Pace(self._settings.rate, until_s=time.monotonic() + duration_s)

        async def send() -> None:
            while await pace.next():
                await traffic.step()

        async def read_callbacks() -> None:
            reading = Pace(len(traffic.keys) / _READ_ALL_S, until_s=pace.until_s)
            while True:
                for key in traffic.keys:
                    if not await reading.next():
                        return
                    await traffic.read_callbacks(key)

        async with asyncio.TaskGroup() as group:
            for _ in range(_CONCURRENT):
                group.create_task(send())
            group.create_task(read_callbacks())
        await asyncio.gather(*helpers)

    async def _sample(self, duration_s: float) -> None:
        began_s = time.monotonic()
        pace = Pace(_SAMPLES / duration_s, until_s=began_s + duration_s)
        while await pace.next():
            self._samples.append(self._observation.sample(time.monotonic() - began_s))

    async def _read_limits(self, after_s: float) -> None:
        await asyncio.sleep(after_s)
        self._limits = await _limits(self._server.url)
        last = self._samples[-1]
        self._note(
            f"half: {last.memory_bytes / 1024**2:.1f} MiB, {last.descriptors} descriptors,"
            f" {self._limits.submitted} tasks submitted,"
            f" {self._limits.trimmed_entries} journal entries dropped"
        )

    async def _drain(self, traffic: Traffic, keys: Sequence[Key]) -> None:
        """Wait until all deliveries of these keys have ended, at most `patience_s`."""
        until_s = time.monotonic() + self._settings.patience_s
        for key in keys:
            await traffic.hurry(key)
        while (open_keys := self._callbacks.open_keys) and time.monotonic() < until_s:
            for key in keys:
                if key.text in open_keys:
                    await traffic.read_callbacks(key)
            await asyncio.sleep(_POLL_S)

    async def _rest(self, before: Rest | None) -> Rest:
        """Return what the server holds when it is idle.

        Wait at most `patience_s` until it holds no more than `before`; without it, until two
        samples are equal.
        """
        until_s = time.monotonic() + self._settings.patience_s
        last = None
        while True:
            sample = self._observation.sample(0)
            rest = Rest(descriptors=sample.descriptors, held=self._observation.held())
            if before is None:
                is_reached = rest == last
            else:
                most = before.descriptors + self._settings.pooled
                is_reached = rest.descriptors <= most and rest.held.tasks <= before.held.tasks
            if is_reached or time.monotonic() > until_s:
                return rest
            last = rest
            await asyncio.sleep(_POLL_S)


async def _limits(url: str) -> Limits:
    async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as client:
        response = await client.get("/_mock/metrics")
    if response.status_code != 200:
        raise BenchError(f"GET /_mock/metrics: {response.status_code} {response.text[:200]}")
    text = response.text
    values = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return Limits(
        trimmed_entries=int(float(values["apixo_mock_journal_trimmed_entries_total"])),
        submitted=int(float(values["apixo_mock_tasks_submitted_total"])),
        max_tasks=MAX_TASKS,
    )


@contextmanager
def _closed_port() -> Iterator[int]:
    """Reserve a port at which nothing listens."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        yield reserved.getsockname()[1]


def _toml(rules: list[dict[str, object]]) -> str:
    """Return a configuration file with these rules, as inline tables."""
    return f"rules = [{', '.join(map(_inline, rules))}]\n"


def _inline(value: object) -> str:
    if isinstance(value, dict):
        members = (f"{msgspec.json.encode(k).decode()} = {_inline(v)}" for k, v in value.items())
        return f"{{{', '.join(members)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_inline, value))}]"
    return msgspec.json.encode(value).decode()
