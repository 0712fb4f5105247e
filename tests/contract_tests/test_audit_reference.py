"""The reference client passes in every situation of the audit, without a warning."""

from pathlib import Path
from threading import Event

import httpx
import pytest

from client_reference import CallbackReceiver, Client
from contract_tests.client.driving.output import read_files
from contract_tests.client.driving.trials import Trial, run_trial
from contract_tests.client.records import ClientExit
from contract_tests.client.selection import CasePlan
from contract_tests.client.situation import Situation
from contract_tests.client.situations import SITUATIONS
from contract_tests.contract.certificates import trusted_certificates
from contract_tests.contract.verdicts import Verdict
from tests.contract_tests.clients.all_clients import mock_http
from tests.contract_tests.clients.driving import VirtualTime

POLLING = [each for each in SITUATIONS if not each.needs_receiver]
CALLBACKS = [each for each in SITUATIONS if each.needs_receiver]


http = mock_http


class Transport(httpx.HTTPTransport):
    """Connect to the mock, and stop waiting for a response after `timeout_s` in real time."""

    def __init__(self, timeout_s: float | None) -> None:
        super().__init__(verify=trusted_certificates())
        self._timeout_s = timeout_s

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self._timeout_s is not None:
            request.extensions["timeout"] = httpx.Timeout(30, read=self._timeout_s).as_dict()
        return super().handle_request(request)


def verdict(situation: Situation, http: httpx.Client, directory: Path, *, via: str) -> Verdict:
    def drive(trial: Trial) -> ClientExit:
        time = VirtualTime(http, trial.key, time_budget_s=600)
        status, said = 0, ""
        with (
            CallbackReceiver() as receiver,
            Client(
                trial.key,
                trial.base_url,
                transport=Transport(0.3 if "never ends" in situation.title else None),
                sleep=time.sleep,
                clock=lambda: time.passed_s,
            ) as client,
        ):
            try:
                if via == "callback":
                    made = client.generate(
                        trial.prompt,
                        num_images=trial.num_images,
                        via="callback",
                        receiver=receiver,
                    )
                else:
                    made = client.generate(trial.prompt, num_images=trial.num_images)
                client.download(made, directory)
            except Exception as error:  # noqa: BLE001  # as a command would end
                status, said = 1, str(error)
        return ClientExit(
            exit_status=status, output=said, after_s=time.passed_s, files=read_files(directory)
        )

    plan = CasePlan(situation, frozenset(situation.judged))
    return run_trial(plan, http, drive, Event()).case.verdict


@pytest.mark.parametrize("situation", POLLING, ids=lambda each: each.id)
def test_reference_client_passes_when_it_polls(
    situation: Situation, http: httpx.Client, tmp_path: Path
) -> None:
    assert verdict(situation, http, tmp_path, via="polling") is Verdict.PASS


@pytest.mark.parametrize("situation", CALLBACKS, ids=lambda each: each.id)
def test_reference_client_passes_with_callbacks(
    situation: Situation, http: httpx.Client, tmp_path: Path
) -> None:
    assert verdict(situation, http, tmp_path, via="callback") is Verdict.PASS
