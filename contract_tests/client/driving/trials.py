"""Runs a client through the situations side by side, each with a key of its own."""

import os
import socket
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

import httpx
import msgspec

from contract_tests.client.choosing import Chosen
from contract_tests.client.driving.command import ClientCommand, Processes
from contract_tests.client.driving.sandbox import AuditedSandbox, new_key
from contract_tests.client.exchange import Ended
from contract_tests.client.reports.report import AuditedCase, judged_case, left_out
from contract_tests.contract.errors import TargetError
from contract_tests.contract.redaction import Redaction
from contract_tests.contract.verdicts import Verdict

_CALLBACK_URL: Final = "APIXO_CALLBACK_URL"
_IMAGE: Final = "https://example.com/fox.png"
_NO_RECEIVER: Final = "the command has no {callback_port}, so it is not asked for callbacks"


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What a client is given for one case."""

    case_id: str
    base_url: str
    key: str
    prompt: str


Drive = Callable[[Trial], Ended]


def try_case(chosen: Chosen, http: httpx.Client, drive: Drive) -> AuditedCase:
    """Stage a situation, let the client run, and judge by what the journal has seen."""
    situation = chosen.situation
    sandbox = AuditedSandbox(http, new_key(situation.id))
    try:
        sandbox.stage(situation)
        trial = Trial(
            case_id=situation.id,
            base_url=str(http.base_url).rstrip("/"),
            key=sandbox.key,
            prompt=f"a red fox in the snow, case {situation.id}",
        )
        ended = drive(trial)
        sandbox.wait_for_slow_answers()
        output = Redaction([sandbox.key]).text(ended.output)
        evidence = sandbox.evidence(msgspec.structs.replace(ended, output=output))
        sandbox.drop()
    except (httpx.HTTPError, TargetError) as error:
        return left_out(situation, Verdict.ERROR, f"the mock did not do its part: {error}")
    return judged_case(situation, evidence, chosen.rules)


def run_trials(
    chosen: Sequence[Chosen],
    base_url: str,
    command: ClientCommand,
    *,
    parallel: int,
    timeout_s: float,
) -> Iterator[AuditedCase]:
    """Yield what came of each situation, in order; those that take longest begin first."""
    processes = Processes()

    def drive(trial: Trial) -> Ended:
        return _drive(trial, command, processes, timeout_s)

    limits = httpx.Limits(max_connections=parallel * 2)
    executor = ThreadPoolExecutor(parallel)
    with httpx.Client(base_url=base_url, timeout=30, trust_env=False, limits=limits) as http:
        try:
            begun: dict[str, Future[AuditedCase]] = {
                each.situation.id: executor.submit(try_case, each, http, drive)
                for each in sorted(chosen, key=lambda each: each.situation.is_quick)
                if command.takes_callbacks or not each.situation.needs_receiver
            }
            for each in chosen:
                if each.situation.id in begun:
                    yield begun[each.situation.id].result()
                else:
                    yield left_out(each.situation, Verdict.SKIP, _NO_RECEIVER)
        finally:
            processes.close()
            executor.shutdown(cancel_futures=True)


def _drive(trial: Trial, command: ClientCommand, processes: Processes, timeout_s: float) -> Ended:
    with tempfile.TemporaryDirectory(prefix="audit-", ignore_cleanup_errors=True) as out_dir:
        values = {
            "base_url": trial.base_url,
            "api_key": trial.key,
            "prompt": trial.prompt,
            "out_dir": out_dir,
            "image_url": _IMAGE,
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
