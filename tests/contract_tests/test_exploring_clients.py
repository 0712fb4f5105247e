"""Exploring finds bugs that no staged case shows, and finds nothing in correct clients."""

from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from itertools import islice
from pathlib import Path

import httpx
import pytest

from client_reference import AsyncClient, CallbackReceiver, Client
from contract_tests.client.exploring.exploration import Explorer
from contract_tests.client.exploring.generation import Scope, generate
from contract_tests.client.exploring.invariants import IDS
from contract_tests.client.exploring.reproduction import lines_of, reproduction_of
from contract_tests.client.exploring.scenario import Event, Scenario
from contract_tests.client.records import Trait
from contract_tests.client.situation import Situation
from contract_tests.command.audit_explore import judged_invariants
from contract_tests.contract.verdicts import Verdict
from mock_server.testing.client_call import Client as Explorable
from mock_server.testing.job import Job
from mock_server.testing.sandbox import ApixoMock
from mock_server.testing.virtual_runs import VirtualRunner
from tests.contract_tests.clients.all_clients import cases_of, main_cases, name_of, try_client
from tests.contract_tests.clients.all_clients import mock_http as http  # noqa: F401  # a fixture
from tests.contract_tests.clients.broken_combinations import BROKEN, CAREFUL, CarefulClient
from tests.contract_tests.clients.corpus import Program
from tests.contract_tests.clients.exploring import explorable
from tests.contract_tests.clients.virtual_programs import in_virtual_time, virtual_programs
from tests.properties import is_deep

pytestmark = pytest.mark.long

MANY = 300
FEW = 12
SEED = 0  # The default of `explore`.
NOISE = ("task-succeeds-25s", "status-unknown-members", "callback-forged")
# Cases with several pictures or faults find these; the last one gets a warning.
STAGED_TOO = {"LosesTheSecondPicture", "TrustsTheSecondDownload", "KeepsTheFirstPause"}
MISSED = tuple(kind for kind in BROKEN if kind.__name__ not in STAGED_TOO)
# Free exploring finds every one of these within `MANY` scenarios of the default seed.
EXPLORED = BROKEN if is_deep() else BROKEN[1:2]
SEEDS = (0, 1, 2) if is_deep() else (0,)
PROGRAMS = virtual_programs() if is_deep() else virtual_programs()[:1]
TRIED = BROKEN if is_deep() else BROKEN[3:6]


def reference(job: Job) -> list[Path]:
    with Client(job.api_key, job.base_url, sleep=job.sleep, clock=job.clock) as client:
        return client.download(client.generate(job.prompt, num_images=2), job.out_dir)


def reference_with_callbacks(job: Job) -> list[Path]:
    with (
        Client(job.api_key, job.base_url, sleep=job.sleep, clock=job.clock) as client,
        CallbackReceiver() as receiver,
    ):
        generation = client.generate(job.prompt, via="callback", receiver=receiver)
        return client.download(generation, job.out_dir)


async def async_reference(job: Job) -> list[Path]:
    async with AsyncClient(
        job.api_key, job.base_url, sleep=job.sleep_async, clock=job.clock
    ) as client:
        return await client.download(await client.generate(job.prompt), job.out_dir)


REFERENCES = (reference, reference_with_callbacks, async_reference)


def staged_cases(kind: type[CarefulClient]) -> tuple[Situation, ...]:
    return cases_of(kind) if is_deep() else main_cases(kind)


def scenario_with_noise(kind: type[CarefulClient]) -> Scenario:
    """Return the shortest scenario of a client, with events that are not needed around it."""
    operations = {Event(name).kind.operation for name in kind.shortest}
    noise = [name for name in NOISE if Event(name).kind.operation not in operations]
    events = [Event(name) for name in (*kind.shortest, *noise)]
    if kind.pictures > 1:  # The second event is for the second picture.
        events[1] = Event(events[1].name, skips=1)
    return Scenario(events=tuple(events), pictures=kind.pictures)


@contextmanager
def exploring(
    client: Explorable,
    http: httpx.Client,  # noqa: F811  # the fixture
    judged: Collection[str] = IDS,
) -> Iterator[Explorer]:
    base_url = str(http.base_url).rstrip("/")

    def begin(name: str) -> AbstractContextManager[ApixoMock]:
        return ApixoMock.begun(base_url, seed=0, name=name)

    with closing(VirtualRunner(begin, client, budget_s=3600, real_limit_s=60)) as runner:
        yield Explorer(runner, judged)


@pytest.fixture
def explorer(request: pytest.FixtureRequest, http: httpx.Client) -> Iterator[Explorer]:  # noqa: F811  # the fixture
    with exploring(request.param, http) as explorer:
        yield explorer


@pytest.mark.deep
@pytest.mark.parametrize("kind", MISSED, ids=name_of)
def test_no_staged_case_finds_the_bug(kind: type[CarefulClient], http: httpx.Client) -> None:  # noqa: F811  # the fixture
    for case in staged_cases(kind):
        found = try_client(kind, case, http)

        assert found.verdict in {Verdict.PASS, Verdict.SKIP}, (found.id, found.findings)


@pytest.mark.deep
@pytest.mark.parametrize(
    ("kind", "explorer"), [(kind, explorable(kind)) for kind in TRIED], indirect=["explorer"],
    ids=[name_of(kind) for kind in TRIED],
)  # fmt: skip
def test_bug_is_shrunk_to_its_shortest_scenario(
    kind: type[CarefulClient], explorer: Explorer
) -> None:
    (failure,) = explorer.explore([scenario_with_noise(kind)])

    assert failure.violation.invariant == kind.violates
    assert tuple(each.name for each in failure.outcome.scenario.events) == kind.shortest
    assert failure.outcome.scenario.pictures == kind.pictures
    assert failure.is_shortest


@pytest.mark.deep
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("kind", "explorer"), [(kind, explorable(kind)) for kind in EXPLORED], indirect=["explorer"],
    ids=[name_of(kind) for kind in EXPLORED],
)  # fmt: skip
def test_exploring_finds_the_bug(kind: type[CarefulClient], explorer: Explorer, seed: int) -> None:
    found = explorer.explore(islice(generate(seed, Scope()), MANY))

    failure = next((each for each in found if each.violation.invariant == kind.violates), None)

    assert failure is not None
    assert len(failure.outcome.scenario.events) <= len(kind.shortest)


@pytest.mark.deep
@pytest.mark.parametrize(
    ("client", "explorer"),
    [(each, each) for each in (*map(explorable, CAREFUL), *REFERENCES)],
    indirect=["explorer"],
    ids=[*map(name_of, CAREFUL), *(each.__name__ for each in REFERENCES)],
)
def test_exploring_finds_nothing_in_a_correct_client(
    client: Explorable, explorer: Explorer
) -> None:
    found = list(explorer.explore(islice(generate(SEED, Scope()), MANY if is_deep() else FEW)))

    assert not found, "\n".join(lines_of(reproduction_of(found[0])))


@pytest.mark.deep
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda each: each.name)
def test_exploring_finds_nothing_in_a_good_program(program: Program, http: httpx.Client) -> None:  # noqa: F811  # the fixture
    if program.missing():
        pytest.skip(program.missing())
    judged = [each.id for each in judged_invariants((), frozenset(map(Trait, program.switches)))]
    scenarios = generate(SEED, Scope(has_callbacks=False))

    with exploring(in_virtual_time(program), http, judged) as explorer:
        found = list(explorer.explore(islice(scenarios, MANY if is_deep() else FEW)))

    assert not found, "\n".join(lines_of(reproduction_of(found[0])))
