"""Runs a client in this process, scenario after scenario, on the manual clock of a sandbox."""

import socket
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from secrets import token_hex
from typing import Any, Final

import httpx

from contract_tests.client.exploring.grammar import RESTART_AFTER
from contract_tests.client.exploring.outcome import ClientRun, Delivery, Outcome, Purchase
from contract_tests.client.exploring.scenario import Scenario
from contract_tests.client.journal_reader import read_evidence
from mock_server.testing.client_call import (
    Client,
    Output,
    Watchdog,
    call,
    environment,
    exited_with,
    text_of,
    trace_of,
)
from mock_server.testing.explored_sandbox import BeginSandbox, ExploredSandbox
from mock_server.testing.job import ClientStopped, Job, RealTime, VirtualTime
from mock_server.testing.returned import Returned

_TIMEOUT_S: Final = 30.0


class VirtualRunner:
    """Runs scenarios one after the other, each in a sandbox of its own.

    `budget_s` limits the virtual time of a picture, and `real_limit_s` its real time.
    """

    width = 1

    def __init__(
        self,
        begin: BeginSandbox,
        client: Client,
        *,
        budget_s: float,
        real_limit_s: float,
        is_real_time: bool = False,
    ) -> None:
        self._begin = begin
        self._client = client
        self._budget_s = budget_s
        self._real_limit_s = real_limit_s
        self._is_real_time = is_real_time
        self._name = f"explore {token_hex(8)}"
        self._http = httpx.Client(
            transport=httpx.HTTPTransport(verify=False), trust_env=False, timeout=_TIMEOUT_S
        )

    def close(self) -> None:
        self._http.close()

    def start(self, scenario: Scenario, *, is_urgent: bool = False) -> "Future[Outcome]":
        future: Future[Outcome] = Future()
        future.set_result(self.run(scenario))
        return future

    def run(
        self,
        scenario: Scenario,
        rules: Sequence[dict[str, Any]] | None = None,
        restarts: Sequence[str] | None = None,
    ) -> Outcome:
        """Run the client in a scenario; `rules` and `restarts` replace those of the scenario."""
        rules = scenario.rules if rules is None else rules
        restarts = list(scenario.restarts if restarts is None else restarts)
        # The same ids of tasks in each sandbox, so that the mock draws each picture once.
        with self._begin(self._name) as sandbox:
            if self._is_real_time:
                sandbox.use_real_clock()
            ids = [rule["id"] for rule in sandbox.rules.set(rules)]
            count = len(restarts)
            runs, is_timed = [], False
            for number in range(1, scenario.pictures + 1):
                run = _Run(sandbox, f"a red fox in the snow, picture {number}", restarts)
                time = self._time(sandbox, run)
                runs.append(run.run(self._client, time, self._real_limit_s))
                is_timed = is_timed or time.passed_s > 0
            evidence = read_evidence(
                sandbox.journal.page(), sandbox.tasks, is_manual=not self._is_real_time
            )
            hits = {
                place: next(r["applied"] for r in sandbox.rules if r["id"] == rule_id)
                for place, rule_id in enumerate(ids)
            }
            sandbox.rules.clear()
            http = self._http if any(run.is_success for run in runs) else None
            return Outcome(
                scenario=scenario,
                key=sandbox.api_key,
                runs=tuple(runs),
                purchases=tuple(_purchases(sandbox, http)),
                evidence=evidence,
                applied=scenario.applied_events(hits)
                | scenario.first_restarts(count - len(restarts)),
                is_timed=is_timed,
            )

    def _time(self, sandbox: ExploredSandbox, run: "_Run") -> VirtualTime | RealTime:
        if self._is_real_time:
            return RealTime()
        return VirtualTime(sandbox.advance, lambda: sandbox.now_ms, self._budget_s, run.stop_if_due)


class _Run:
    """One picture: calls the client, and calls it again after each restart."""

    def __init__(self, sandbox: ExploredSandbox, prompt: str, restarts: list[str]) -> None:
        self._sandbox = sandbox
        self._prompt = prompt
        self._restarts = restarts  # Shared by all runs of a scenario: each happens once.
        self._counts_before: dict[str, int] = {}
        self._is_restarting = False

    def stop_if_due(self) -> None:
        """Raise ClientStopped if the client is to be stopped at this wait."""
        for name in self._restarts:
            operation = RESTART_AFTER[name]
            if self._sandbox.journal.count(operation) > self._counts_before[operation]:
                self._restarts.remove(name)
                self._is_restarting = True
                raise ClientStopped

    def run(self, client: Client, time: VirtualTime | RealTime, limit_s: float) -> ClientRun:
        output = Output()
        is_success, end, timed_out, starts = False, "", False, 0
        deliveries: tuple[Delivery, ...] | None = None
        with tempfile.TemporaryDirectory(prefix="explore-", ignore_cleanup_errors=True) as name:
            job = Job(
                base_url=self._sandbox.base_url,
                api_key=self._sandbox.api_key,
                prompt=self._prompt,
                out_dir=Path(name),
                callback_port=_free_port(),
                sleep=time.sleep,
                clock=time.clock,
            )
            is_over = False
            while not is_over:
                starts += 1
                self._is_restarting = False
                self._counts_before = {
                    each: self._sandbox.journal.count(each) for each in RESTART_AFTER.values()
                }
                watchdog = Watchdog(limit_s)
                try:
                    with environment(job), output.captured(), watchdog:
                        returned = call(client, job)
                    deliveries = returned.deliveries(job.out_dir)
                    is_success, end = True, returned.text
                except SystemExit as error:  # As a command ends.
                    exited = exited_with(error)
                    is_success, end = exited.is_success, exited.text
                    deliveries = Returned(None).deliveries(job.out_dir)
                    output.add(exited.message)
                except (ClientStopped, BaseExceptionGroup, Exception) as error:  # noqa: BLE001  # A client may raise anything.
                    end = f"raised {text_of(error)}"
                    output.add(trace_of(error))
                is_over = not self._is_restarting
            if time.is_over or watchdog.has_fired:
                is_success, timed_out = False, True
                unit = "of real time" if watchdog.has_fired else "of the sandbox's clock"
                limit = limit_s if watchdog.has_fired else time.passed_s
                end = f"did not end within {limit:.0f} s {unit}"
        return ClientRun(
            prompt=self._prompt,
            is_success=is_success,
            end=end,
            output=output.text,
            timed_out=timed_out,
            deliveries=deliveries,
            starts=starts,
        )


def _purchases(sandbox: ExploredSandbox, http: httpx.Client | None) -> Iterator[Purchase]:
    """Yield the tasks; with an HTTP client also the contents of their pictures."""
    for task in sandbox.tasks:
        urls = tuple(task.get("result_urls", ()))
        contents = () if http is None else tuple(_content(http, url) for url in urls)
        yield Purchase(
            task_id=task["task_id"],
            prompt=task["prompt"],
            state=task["state"],
            num_images=task["num_images"],
            result_urls=urls,
            contents=contents,
        )


def _content(http: httpx.Client, url: str) -> bytes:
    return http.get(url).raise_for_status().content


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
