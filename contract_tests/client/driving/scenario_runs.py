"""Runs a client that is a command in scenarios, in real time and in parallel."""

import tempfile
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Event, Semaphore, Timer
from typing import Final, Self

import httpx

from contract_tests.client.driving.command import ClientCommand, ClientProcesses
from contract_tests.client.driving.output import read_files
from contract_tests.client.driving.sandbox import CaseSandbox, new_key
from contract_tests.client.driving.trials import ClientNotReachingMock, Trial, client_input
from contract_tests.client.evidence import Evidence
from contract_tests.client.exploring.exploration import TimeIsOver
from contract_tests.client.exploring.grammar import RESTART_AFTER
from contract_tests.client.exploring.outcome import ClientRun, Delivery, Outcome, Purchase
from contract_tests.client.exploring.scenario import Scenario
from contract_tests.client.records import ClientExit
from contract_tests.client.reports.report import AuditedCase
from contract_tests.client.situation import Situation
from contract_tests.contract.certificates import trusted_certificates
from contract_tests.contract.redaction import Redaction
from contract_tests.contract.verdicts import Verdict

_ID: Final = "explore"


class CommandRunner:
    """Runs scenarios, each with a key of its own, until the time is over.

    `timeout_s` limits a picture, and `budget_s` all scenarios together. `on_start` and `on_end` are
    called by worker threads. `has_files` tells whether the client stores its pictures in {out_dir}.

    Raises ClientNotReachingMock from the first futures if no client has reached the mock.
    """

    def __init__(
        self,
        base_url: str,
        command: ClientCommand,
        *,
        parallel: int,
        timeout_s: float,
        budget_s: float,
        has_files: bool,
        on_start: Callable[[], None] = lambda: None,
        on_end: Callable[[], None] = lambda: None,
    ) -> None:
        self.width = parallel
        self._base_url = base_url
        self._command = command
        self._timeout_s = timeout_s
        self._has_files = has_files
        self._on_start = on_start
        self._on_end = on_end
        self._processes = ClientProcesses()
        self._executor = ThreadPoolExecutor(parallel)
        self._urgent_executor = ThreadPoolExecutor(parallel)
        self._places = Semaphore(parallel)  # For the clients of both.
        self._is_over = Event()
        self._timer = Timer(budget_s, self.stop)
        self._timer.daemon = True
        self._http = httpx.Client(
            base_url=base_url,
            verify=trusted_certificates(),
            timeout=30,
            trust_env=False,
            limits=httpx.Limits(max_connections=parallel * 2),
        )

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self.stop()
        for executor in (self._executor, self._urgent_executor):
            executor.shutdown(cancel_futures=True)
        self._http.close()

    def stop(self) -> None:
        """Stop the clients that run; their scenarios have no outcome."""
        self._is_over.set()
        self._processes.close()

    def start(self, scenario: Scenario, *, is_urgent: bool = False) -> "Future[Outcome]":
        executor = self._urgent_executor if is_urgent else self._executor
        return executor.submit(self._run, scenario)

    def _run(self, scenario: Scenario) -> Outcome:
        with self._places:
            if self._is_over.is_set():
                raise TimeIsOver
            self._on_start()
            try:
                return self._outcome(scenario)
            finally:
                self._on_end()

    def _outcome(self, scenario: Scenario) -> Outcome:
        sandbox = CaseSandbox(self._http, new_key(_ID))
        sandbox.stage(Situation(id=_ID, title=_ID, judged=(), staged=tuple(scenario.rules)))
        restarts = list(scenario.restarts)
        runs = [
            self._picture(sandbox, f"a red fox in the snow, picture {number}", restarts)
            for number in range(1, scenario.pictures + 1)
        ]
        if self._is_over.is_set():
            raise TimeIsOver
        evidence = sandbox.evidence()
        if not evidence.exchanges and not sandbox.has_mock_been_reached():
            raise ClientNotReachingMock(_unreached_case(runs[0], sandbox.key))
        applied = scenario.applied_events(sandbox.rule_hits())
        prompts = sandbox.prompts()
        contents = sandbox.pictures(evidence) if any(run.is_success for run in runs) else {}
        sandbox.delete()
        return Outcome(
            scenario=scenario,
            key=sandbox.key,
            runs=tuple(runs),
            purchases=tuple(_purchases(evidence, prompts, contents)),
            evidence=evidence,
            applied=applied | scenario.first_restarts(len(scenario.restarts) - len(restarts)),
        )

    def _picture(self, sandbox: CaseSandbox, prompt: str, restarts: list[str]) -> ClientRun:
        """Run the command for one picture; start it again after each restart that is due."""
        trial = Trial(case_id=_ID, base_url=self._base_url, key=sandbox.key, prompt=prompt)
        output, starts = "", 0
        with tempfile.TemporaryDirectory(prefix="explore-", ignore_cleanup_errors=True) as out_dir:
            words, environment = client_input(trial, self._command, out_dir)
            while True:
                starts += 1
                restart = _Restart(sandbox, restarts)
                client_exit = self._processes.run(
                    words, environment, self._timeout_s, restart.is_due if restarts else None
                )
                output += client_exit.output
                if not restart.has_happened:
                    break
            files = read_files(Path(out_dir)) if self._has_files else None
        return ClientRun(
            prompt=prompt,
            is_success=client_exit.exit_status == 0 and not client_exit.timed_out,
            end=_end_of(client_exit),
            output=output,
            timed_out=client_exit.timed_out,
            deliveries=None
            if files is None
            else tuple(Delivery.of_file(f.name, f.content) for f in files),
            starts=starts,
        )


class _Restart:
    """Finds out when a running client is to be stopped and started again."""

    def __init__(self, sandbox: CaseSandbox, restarts: list[str]) -> None:
        self._sandbox = sandbox
        self._restarts = restarts  # Shared by all pictures of a scenario: each happens once.
        self._before = {each: sandbox.count_of(RESTART_AFTER[each]) for each in restarts}
        self.has_happened = False

    def is_due(self) -> bool:
        for name in self._restarts:
            if self._sandbox.count_of(RESTART_AFTER[name]) > self._before[name]:
                self._restarts.remove(name)
                self.has_happened = True
                return True
        return False


def _purchases(
    evidence: Evidence, prompts: dict[str, str], contents: dict[str, bytes]
) -> list[Purchase]:
    return [
        Purchase(
            task_id=task.id,
            prompt=prompts.get(task.id, ""),
            state=task.state,
            num_images=task.num_images,
            result_urls=task.result_urls,
            contents=tuple(contents.get(url, b"") for url in task.result_urls),
        )
        for task in evidence.tasks
    ]


def _end_of(client_exit: ClientExit) -> str:
    if client_exit.timed_out:
        return f"did not end within {client_exit.after_s:.0f} s"
    return f"exited with status {client_exit.exit_status}"


def _unreached_case(run: ClientRun, key: str) -> AuditedCase:
    return AuditedCase(
        id="the first scenario",
        title=_ID,
        clauses=(),
        verdict=Verdict.INCONCLUSIVE,
        output=Redaction([key]).text(run.output),
        exit_status=1,
    )
