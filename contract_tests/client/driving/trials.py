"""Runs a client in several situations in parallel, each with its own API key."""

import os
import socket
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

import httpx
import msgspec

from contract_tests.client.driving.command import ClientCommand, ClientProcesses
from contract_tests.client.driving.sandbox import CaseSandbox, new_key, prompt_of
from contract_tests.client.records import ClientExit
from contract_tests.client.reports.cases import judge_situation, unjudged_case
from contract_tests.client.reports.report import AuditedCase
from contract_tests.client.selection import CasePlan
from contract_tests.contract.certificates import trusted_certificates
from contract_tests.contract.errors import TargetError
from contract_tests.contract.redaction import Redaction
from contract_tests.contract.verdicts import Verdict

_CALLBACK_URL: Final = "APIXO_CALLBACK_URL"
_IMAGE_URL: Final = "https://example.com/fox.png"
_NO_RECEIVER: Final = "not tested: the command has no {callback_port} for a callback receiver"


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """The input of the client for one case."""

    case_id: str
    base_url: str
    key: str
    prompt: str


ClientRunner = Callable[[Trial], ClientExit]


def run_trial(plan: CasePlan, http: httpx.Client, run_client: ClientRunner) -> AuditedCase:
    """Stage a situation, run the client in it, and judge the journal.

    The verdict is ERROR if the mock fails.
    """
    situation = plan.situation
    sandbox = CaseSandbox(http, new_key(situation.id))
    try:
        sandbox.stage(situation)
        trial = Trial(
            case_id=situation.id,
            base_url=str(http.base_url).rstrip("/"),
            key=sandbox.key,
            prompt=prompt_of(situation),
        )
        client_exit = run_client(trial)
        sandbox.wait_for_slow_responses()
        output = Redaction([sandbox.key]).text(client_exit.output)
        evidence = sandbox.evidence(msgspec.structs.replace(client_exit, output=output))
        sandbox.delete()
    except (httpx.HTTPError, TargetError) as error:
        return unjudged_case(situation, Verdict.ERROR, f"the mock failed: {error}")
    return judge_situation(situation, evidence, plan.rules)


def run_trials(
    plans: Sequence[CasePlan],
    base_url: str,
    command: ClientCommand,
    *,
    parallel: int,
    timeout_s: float,
) -> Iterator[AuditedCase]:
    """Yield the result of each case, in order; the slowest cases start first."""
    processes = ClientProcesses()

    def run_client(trial: Trial) -> ClientExit:
        return _run_command(trial, command, processes, timeout_s)

    limits = httpx.Limits(max_connections=parallel * 2)
    executor = ThreadPoolExecutor(parallel)
    with httpx.Client(
        base_url=base_url,
        verify=trusted_certificates(),
        timeout=30,
        trust_env=False,
        limits=limits,
    ) as http:
        try:
            results: dict[str, Future[AuditedCase]] = {
                plan.situation.id: executor.submit(run_trial, plan, http, run_client)
                for plan in sorted(plans, key=lambda plan: plan.situation.is_quick)
                if command.takes_callbacks or not plan.situation.needs_receiver
            }
            for plan in plans:
                if plan.situation.id in results:
                    yield results[plan.situation.id].result()
                else:
                    yield unjudged_case(plan.situation, Verdict.SKIP, _NO_RECEIVER)
        finally:
            processes.close()
            executor.shutdown(cancel_futures=True)


def _run_command(
    trial: Trial, command: ClientCommand, processes: ClientProcesses, timeout_s: float
) -> ClientExit:
    with tempfile.TemporaryDirectory(prefix="audit-", ignore_cleanup_errors=True) as out_dir:
        values = {
            "base_url": trial.base_url,
            "api_key": trial.key,
            "prompt": trial.prompt,
            "out_dir": out_dir,
            "image_url": _IMAGE_URL,
        }
        inherited = {name: text for name, text in os.environ.items() if name != _CALLBACK_URL}
        environment = inherited | {"APIXO_BASE_URL": trial.base_url, "APIXO_API_KEY": trial.key}
        if command.takes_callbacks:
            values["callback_port"] = str(_free_port())
            environment[_CALLBACK_URL] = f"http://127.0.0.1:{values['callback_port']}/callback"
        return processes.run(command.words(values), environment, timeout_s)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
