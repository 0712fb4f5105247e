"""`apixo_mock.explore()` and `apixo_mock.replay()` judge a client in virtual time."""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from client_reference import ApixoError, AsyncClient, Client
from mock_server.testing.exploring import InvariantViolation
from mock_server.testing.job import Job
from mock_server.testing.returned import UnsupportedReturn
from mock_server.testing.sandbox import ApixoMock
from tests.mock_server.e2e.serving import RunningMock

FEW = 8
THROTTLED = [
    {
        "match": {"operation": "submit", "nth": 1, "times": 1},
        "apply": {"refuse": {"status": 429, "message": "Rate limit exceeded", "retry_after": 5}},
    },
    {
        "match": {"operation": "submit"},
        "apply": {"outcome": {"pending": "1s", "processing": "17s"}},
    },
]


@pytest.fixture
def sandbox(mock: RunningMock) -> Iterator[ApixoMock]:
    with ApixoMock.begun(mock.url) as sandbox:
        yield sandbox


def good_client(job: Job) -> list[Path]:
    with Client(job.api_key, job.base_url, sleep=job.sleep, clock=job.clock) as client:
        return client.download(client.generate(job.prompt), job.out_dir)


def submit(job: Job) -> httpx.Response:
    return httpx.post(
        f"{job.base_url}/api/v1/generateTask/gpt-image-1",
        headers={"Authorization": f"Bearer {job.api_key}"},
        json={"input": {"prompt": job.prompt}},
        timeout=30,
    )


def test_correct_client_survives(sandbox: ApixoMock) -> None:
    found = sandbox.explore(good_client, examples=FEW)

    assert found.scenarios == FEW
    assert "submit-429" in found.coverage.happened


def test_correct_coroutine_function_survives(sandbox: ApixoMock) -> None:
    async def client(job: Job) -> list[Path]:
        async with AsyncClient(
            job.api_key, job.base_url, sleep=job.sleep_async, clock=job.clock
        ) as client:
            return await client.download(await client.generate(job.prompt), job.out_dir)

    assert sandbox.explore(client, examples=3).scenarios == 3


def test_client_may_return_addresses_or_leave_files(sandbox: ApixoMock) -> None:
    def addresses(job: Job) -> list[str]:
        with Client(job.api_key, job.base_url, sleep=job.sleep, clock=job.clock) as client:
            return list(client.generate(job.prompt).urls)

    def files(job: Job) -> None:
        good_client(job)

    sandbox.explore(addresses, examples=2)
    sandbox.explore(files, examples=2)


def test_client_may_exit_like_a_command(sandbox: ApixoMock) -> None:
    def client(job: Job) -> None:
        try:
            good_client(job)
        except ApixoError as error:
            sys.exit(f"failed: {error}")
        sys.exit(0)

    assert sandbox.explore(client, examples=FEW).scenarios == FEW


def test_exit_without_a_picture_is_a_failure_that_was_told(sandbox: ApixoMock) -> None:
    def client(job: Job) -> None:
        submit(job)
        sys.exit(2)

    with pytest.raises(InvariantViolation, match="exited with status 2, although nothing"):
        sandbox.explore(client, examples=1)


def test_exit_with_status_0_and_without_a_picture_is_found(sandbox: ApixoMock) -> None:
    def client(job: Job) -> None:
        submit(job)
        sys.exit()

    with pytest.raises(InvariantViolation, match="exited with status 0, but no task succeeded"):
        sandbox.explore(client, examples=1)


def test_client_may_generate_several_pictures_at_once(sandbox: ApixoMock) -> None:
    async def client(job: Job) -> list[Path]:
        async with AsyncClient(
            job.api_key, job.base_url, sleep=job.sleep_async, clock=job.clock
        ) as http:
            prompts = (f"{job.prompt} by {style}" for style in ("day", "night"))
            done = await asyncio.gather(*map(http.generate, prompts))
            return [path for each in done for path in await http.download(each, job.out_dir)]

    assert sandbox.explore(client, examples=FEW).scenarios == FEW


def test_failure_has_the_shortest_scenario_as_timeline_rules_and_test(sandbox: ApixoMock) -> None:
    def impatient(job: Job) -> list[Path]:
        if submit(job).status_code == 429:
            submit(job)
        job.sleep(60)
        raise TimeoutError

    with pytest.raises(InvariantViolation) as raised:
        sandbox.explore(impatient, ignore=["X-DONE"])

    text = str(raised.value)
    assert "X-LIM The client must wait after a 429" in text
    assert "  1. the submit gets 429, Retry-After: 5\n" in text
    assert "0.000 s  submit   429, Retry-After: 5" in text
    assert 'curl -X PUT "$APIXO_BASE_URL/_mock/rules"' in text
    assert "apixo_mock.replay(" in text


def test_printed_test_fails_in_the_same_way(sandbox: ApixoMock) -> None:
    def forgets(job: Job) -> None:
        submit(job)

    with pytest.raises(InvariantViolation) as raised:
        sandbox.explore(forgets)

    code = str(raised.value).partition("the same scenario as a test:\n")[2].partition("\nfound")[0]
    code = "\n".join(line.removeprefix("  ") for line in code.splitlines())
    code = code.replace("from my_package import my_client  # the client\n", "")
    namespace: dict[str, object] = {"my_client": forgets}
    exec(code, namespace)  # The printed code is what this test is about.
    test = namespace["test_client_keeps_x_tell"]
    assert callable(test)
    with pytest.raises(InvariantViolation, match="X-TELL"):
        test(sandbox)


def test_replay_passes_for_a_correct_client(sandbox: ApixoMock) -> None:
    sandbox.replay(good_client, rules=THROTTLED, pictures=2)


def test_replay_knows_what_its_rules_prevent(sandbox: ApixoMock) -> None:
    def gives_up(job: Job) -> None:
        submit(job).raise_for_status()

    with pytest.raises(InvariantViolation, match="X-DONE"):
        sandbox.replay(gives_up, rules=THROTTLED)


def test_replay_runs_a_process_in_real_time(sandbox: ApixoMock) -> None:
    def command(job: Job) -> None:
        words = job.words(f"{sys.executable} -c 'import sys; sys.exit(sys.argv[1] != {{prompt}})'")
        assert words[-1].endswith(f"!= {job.prompt})")

    with pytest.raises(InvariantViolation, match="no task succeeded"):
        sandbox.replay(command, rules=[], real_time=True)


def test_endless_client_is_stopped_in_virtual_time(sandbox: ApixoMock) -> None:
    def endless(job: Job) -> None:
        submit(job)
        while True:
            job.sleep(600)

    with pytest.raises(InvariantViolation, match="did not end within 3600 s of the sandbox's"):
        sandbox.replay(endless, rules=[])


def test_client_that_reaches_no_mock_is_told_so(sandbox: ApixoMock) -> None:
    with pytest.raises(InvariantViolation, match="sent no request to the mock"):
        sandbox.explore(lambda _: None)


def test_return_value_that_is_no_picture_is_an_error_of_the_test(sandbox: ApixoMock) -> None:
    with pytest.raises(UnsupportedReturn, match="bytes, paths or URLs, or None"):
        sandbox.explore(lambda _: 3)  # type: ignore[arg-type,return-value]  # as a user might


def test_unknown_invariant_is_rejected_with_the_nearest_name(sandbox: ApixoMock) -> None:
    with pytest.raises(ValueError, match="unknown invariant 'X-DON'; did you mean \"X-DONE\""):
        sandbox.explore(good_client, ignore=["X-DON"])


def test_environment_names_the_sandbox_of_the_scenario(
    sandbox: ApixoMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APIXO_API_KEY", "outside")
    keys = []

    def client(job: Job) -> list[Path]:
        with Client(sleep=job.sleep, clock=job.clock) as client:
            keys.append(job.api_key)
            return client.download(client.generate(job.prompt), job.out_dir)

    sandbox.explore(client, examples=2)

    assert len(set(keys)) == len(keys)
    assert sandbox.api_key not in keys


def test_restarted_client_is_stopped_at_a_wait_and_called_again(sandbox: ApixoMock) -> None:
    calls = []

    def client(job: Job) -> list[Path]:
        calls.append(job.prompt)
        return good_client(job)

    sandbox.replay(client, rules=THROTTLED[1:], restarts=["restart-after-submit"])

    assert len(calls) == 2
