"""Runs a client in several situations in parallel, each with its own API key."""

import os
import socket
import tempfile
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from threading import Event
from typing import Final

import httpx
import msgspec

from contract_tests.client.driving.command import ClientCommand, ClientProcesses
from contract_tests.client.driving.output import read_files, without_key
from contract_tests.client.driving.sandbox import CaseSandbox, new_key, prompt_of
from contract_tests.client.records import ClientExit, Trait
from contract_tests.client.reports.cases import judge_situation, unjudged_case
from contract_tests.client.reports.report import AuditedCase
from contract_tests.client.selection import CasePlan
from contract_tests.client.situation import Situation
from contract_tests.contract.certificates import trusted_certificates
from contract_tests.contract.errors import ClientUnreachableError, TargetError
from contract_tests.contract.verdicts import Verdict

_CALLBACK_URL: Final = "APIXO_CALLBACK_URL"
_IMAGE_URL: Final = "https://example.com/fox.png"
_LAST_LINES: Final = 5
_MAX_LINE: Final = 300  # characters
_ONE_IMAGE: Final = "not tested: the command has no {num_images}"
_ADD_NUM_IMAGES: Final = "Add {num_images} to the command, as the number of images to request."
_ADD_RECEIVER: Final = (
    "Audit the client again with a command that receives callbacks on {callback_port}."
)
_NO_RECEIVER: Final = "not tested: the command has no {callback_port} for a callback receiver"


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """The input of the client for one case."""

    case_id: str
    base_url: str
    key: str
    prompt: str
    num_images: int = 1


ClientRunner = Callable[[Trial], ClientExit]


class ClientNotReachingMock(ClientUnreachableError):
    """A client has ended, and none has sent a request to the mock; `case` is its result."""

    def __init__(self, case: AuditedCase) -> None:
        super().__init__(_unreached(case))
        self.case = case


class TrialResult(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a case; `is_unreached` means that no client has reached the mock so far."""

    case: AuditedCase
    is_unreached: bool = False


def run_trial(
    plan: CasePlan,
    http: httpx.Client,
    run_client: ClientRunner,
    stop: Event,
    declared: frozenset[Trait] = frozenset(),
) -> TrialResult:
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
            num_images=situation.num_images,
        )
        client_exit = run_client(trial)
        sandbox.wait_for_slow_responses(stop)
        evidence = sandbox.evidence(without_key(client_exit, sandbox.key), trial.prompt, declared)
        is_unreached = not evidence.exchanges and not sandbox.has_mock_been_reached()
        sandbox.delete()
    except (httpx.HTTPError, TargetError) as error:
        reason = f"the mock failed: {error}"
        return TrialResult(case=unjudged_case(situation, Verdict.ERROR, reason))
    case = judge_situation(situation, evidence, plan.rules)
    return TrialResult(case=case, is_unreached=is_unreached)


def run_trials(
    plans: Sequence[CasePlan],
    base_url: str,
    command: ClientCommand,
    *,
    parallel: int,
    timeout_s: float,
    declared: frozenset[Trait] = frozenset(),
    on_start: Callable[[str], None] = lambda _: None,
) -> Generator[AuditedCase, None, None]:
    """Yield each result as soon as it is known; the slowest cases start first.

    `on_start` gets the id of each case that starts; worker threads call it. Closing the generator
    stops the clients that run.

    Raises:
        ClientNotReachingMock: A client has ended, and none has reached the mock so far.
    """
    processes, stop = ClientProcesses(), Event()

    def run_client(trial: Trial) -> ClientExit:
        return _run_command(trial, command, processes, timeout_s)

    def run(plan: CasePlan) -> TrialResult:
        on_start(plan.situation.id)
        return run_trial(plan, http, run_client, stop, declared)

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
            futures = []
            for plan in sorted(plans, key=_by_length):
                reason, hint = _reason_to_skip(plan.situation, command)
                if reason:
                    yield unjudged_case(plan.situation, Verdict.SKIP, reason, hint)
                else:
                    futures.append(executor.submit(run, plan))
            for future in as_completed(futures):
                result = future.result()
                if result.is_unreached:
                    raise ClientNotReachingMock(result.case)
                yield result.case
        finally:
            stop.set()
            processes.close()
            executor.shutdown(cancel_futures=True)


def _by_length(plan: CasePlan) -> tuple[bool, float]:
    """Return the key that sorts the longest cases first, so that none is left for the end."""
    return plan.situation.is_quick, -plan.situation.shortest_s


def _reason_to_skip(situation: Situation, command: ClientCommand) -> tuple[str, str]:
    """Return why the command cannot run in a situation, and what would make it run; or nothing."""
    if situation.needs_receiver and not command.takes_callbacks:
        return _NO_RECEIVER, _ADD_RECEIVER
    if situation.num_images != 1 and not command.takes_num_images:
        return _ONE_IMAGE, _ADD_NUM_IMAGES
    return "", ""


def _unreached(case: AuditedCase) -> str:
    """Return why no further case is run: how the client ended, and what it said last."""
    end = f"exited with status {case.exit_status}"
    if case.timed_out:
        end = f"was stopped after {case.duration_s:.0f} s"
    last = [line for line in case.output.splitlines() if line.strip()][-_LAST_LINES:]
    said = "\n".join(line[:_MAX_LINE] for line in last) or "(nothing)"
    return (
        f"the client sent no request to the mock in {case.id}, so the audit stopped."
        f" The client {end}. The end of its output:\n{said}\n"
        "Check the command in --exec, and that the client sends its requests to {base_url} or"
        " $APIXO_BASE_URL"
    )


def _run_command(
    trial: Trial, command: ClientCommand, processes: ClientProcesses, timeout_s: float
) -> ClientExit:
    with tempfile.TemporaryDirectory(prefix="audit-", ignore_cleanup_errors=True) as out_dir:
        words, environment = client_input(trial, command, out_dir)
        client_exit = processes.run(words, environment, timeout_s)
        if not command.takes_out_dir:
            return client_exit
        return msgspec.structs.replace(client_exit, files=read_files(Path(out_dir)))


def client_input(
    trial: Trial, command: ClientCommand, out_dir: str
) -> tuple[list[str], dict[str, str]]:
    """Return the words of the command and its environment; a callback port is a free one."""
    values = {
        "base_url": trial.base_url,
        "api_key": trial.key,
        "prompt": trial.prompt,
        "num_images": str(trial.num_images),
        "out_dir": out_dir,
        "image_url": _IMAGE_URL,
    }
    inherited = {name: text for name, text in os.environ.items() if name != _CALLBACK_URL}
    environment = inherited | {"APIXO_BASE_URL": trial.base_url, "APIXO_API_KEY": trial.key}
    if command.takes_callbacks:
        values["callback_port"] = str(_free_port())
        environment[_CALLBACK_URL] = f"http://127.0.0.1:{values['callback_port']}/callback"
    return command.words(values), environment


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
