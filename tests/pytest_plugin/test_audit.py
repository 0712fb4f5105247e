"""`apixo_mock.audit()`: a suite that is not ours judges its client by the contract."""

import tempfile
from collections.abc import Iterator

import httpx
import pytest

from client_reference import Client
from mock_server.testing.sandbox import ApixoMock, ContractBroken
from tests.mock_server.e2e.serving import RunningMock


@pytest.fixture
def sandbox(mock: RunningMock) -> Iterator[ApixoMock]:
    with ApixoMock.begun(mock.url) as sandbox:
        yield sandbox


def submitted(sandbox: ApixoMock, **members: str) -> str:
    answer = httpx.post(
        f"{sandbox.base_url}/api/v1/generateTask/gpt-image-1",
        headers={"Authorization": f"Bearer {sandbox.api_key}"},
        json={"input": {"prompt": "a fox"}, **members},
    )
    return str(answer.json()["data"]["taskId"])


def test_a_good_client_is_clean_even_strictly(sandbox: ApixoMock) -> None:
    with (
        Client(api_key=sandbox.api_key, base_url=sandbox.base_url, sleep=sandbox.advance) as client,
        tempfile.TemporaryDirectory() as directory,
    ):
        client.download(client.generate("a fox", num_images=2), directory)

    report = sandbox.audit(strict=True)

    assert report["summary"]["cases"]["PASS"] == 1


def test_a_broken_rule_fails_the_test_and_says_what_to_change(sandbox: ApixoMock) -> None:
    task_id = submitted(sandbox)
    for _ in range(2):
        sandbox.advance(0.5)
        httpx.get(
            f"{sandbox.base_url}/api/v1/statusTask/gpt-image-1",
            params={"taskId": task_id},
            headers={"Authorization": f"Bearer {sandbox.api_key}"},
        )

    with pytest.raises(ContractBroken, match=r"FAIL C-POLL-002 \(TIM-2\).*Wait 3 seconds"):
        sandbox.audit()


def test_advice_fails_only_when_strict(sandbox: ApixoMock) -> None:
    submitted(sandbox, webhook="http://127.0.0.1:9/hook")

    assert sandbox.audit()["summary"]["cases"]["WARN"] == 1
    with pytest.raises(ContractBroken, match="did you mean callback_url"):
        sandbox.audit(strict=True)


def test_a_client_that_has_done_nothing_fails_nothing_and_passes_nothing(
    sandbox: ApixoMock,
) -> None:
    assert sandbox.audit()["summary"]["rules"]["PASS"] == 0
