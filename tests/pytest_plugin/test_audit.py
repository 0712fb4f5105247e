"""`apixo_mock.audit()` checks the client of a suite against the contract."""

import tempfile
from collections.abc import Iterator

import httpx
import pytest

from client_reference import Client
from mock_server.testing.sandbox import ApixoMock, ContractViolation
from tests.mock_server.e2e.serving import RunningMock


@pytest.fixture
def sandbox(mock: RunningMock) -> Iterator[ApixoMock]:
    with ApixoMock.begun(mock.url) as sandbox:
        yield sandbox


def submit(sandbox: ApixoMock, **members: str) -> str:
    answer = httpx.post(
        f"{sandbox.base_url}/api/v1/generateTask/gpt-image-1",
        headers={"Authorization": f"Bearer {sandbox.api_key}"},
        json={"input": {"prompt": "a fox"}, **members},
    )
    return str(answer.json()["data"]["taskId"])


def test_the_reference_client_passes_a_strict_audit(sandbox: ApixoMock) -> None:
    with (
        Client(api_key=sandbox.api_key, base_url=sandbox.base_url, sleep=sandbox.advance) as client,
        tempfile.TemporaryDirectory() as directory,
    ):
        client.download(client.generate("a fox", num_images=2), directory)

    report = sandbox.audit(strict=True)

    assert report["summary"]["cases"]["PASS"] == 1


def test_a_violated_rule_raises_with_advice(sandbox: ApixoMock) -> None:
    task_id = submit(sandbox)
    for _ in range(2):
        sandbox.advance(0.5)
        httpx.get(
            f"{sandbox.base_url}/api/v1/statusTask/gpt-image-1",
            params={"taskId": task_id},
            headers={"Authorization": f"Bearer {sandbox.api_key}"},
        )

    with pytest.raises(ContractViolation, match=r"FAIL C-POLL-002 \(TIM-2\).*Wait 3 seconds"):
        sandbox.audit()


def test_a_warning_raises_only_when_strict(sandbox: ApixoMock) -> None:
    submit(sandbox, webhook="http://127.0.0.1:9/hook")

    assert sandbox.audit()["summary"]["cases"]["WARN"] == 1
    with pytest.raises(ContractViolation, match='did you mean "callback_url"'):
        sandbox.audit(strict=True)


def test_an_audit_without_requests_neither_raises_nor_passes_a_rule(
    sandbox: ApixoMock,
) -> None:
    assert sandbox.audit()["summary"]["rules"]["PASS"] == 0
