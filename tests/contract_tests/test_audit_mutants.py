"""The audit has teeth: every broken client is blamed by exactly the rule that it breaks."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import httpx
import pytest

from contract_tests.client.rules import RULES
from contract_tests.contract.verdicts import Verdict
from tests.contract_tests.clients.all_clients import (
    GOOD,
    MUTANTS,
    blamed,
    cases_of,
    mock,
    name_of,
    telling_cases,
    tried,
)
from tests.contract_tests.clients.broken_requests import (
    SaysNVariantsForNumImages,
    SaysWebhookForCallbackUrl,
)
from tests.contract_tests.clients.broken_waiting import AsksEvery200Ms
from tests.contract_tests.clients.good import Client

PAGE = Path(__file__).parents[2] / "docs" / "mutants.md"
RUNS = 3

Blamed = Callable[[type[Client]], Mapping[str, tuple[str, ...]]]


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with mock() as client:
        yield client


@pytest.fixture(scope="module")
def blamed_by(http: httpx.Client) -> Blamed:
    """Return what tells the rules that blame a client, and where; each is run once."""
    known: dict[type[Client], Mapping[str, tuple[str, ...]]] = {}

    def blamed_once(kind: type[Client]) -> Mapping[str, tuple[str, ...]]:
        if kind not in known:
            known[kind] = blamed(kind, telling_cases(kind), http)
        return known[kind]

    return blamed_once


@pytest.mark.parametrize("kind", MUTANTS, ids=name_of)
def test_a_broken_client_is_blamed_by_exactly_its_rule(
    kind: type[Client], blamed_by: Blamed
) -> None:
    assert set(blamed_by(kind)) == {kind.breaks}


@pytest.mark.parametrize("kind", GOOD, ids=name_of)
def test_a_good_client_passes_in_every_situation(kind: type[Client], http: httpx.Client) -> None:
    verdicts = {each.id: tried(kind, each, http).verdict for each in cases_of(kind)}

    assert verdicts == dict.fromkeys(verdicts, Verdict.PASS)


def test_every_rule_has_a_mutant() -> None:
    assert {rule.id for rule in RULES} == {kind.breaks for kind in MUTANTS}


def test_clients_are_told_apart_by_their_names() -> None:
    names = [name_of(kind) for kind in (*GOOD, *MUTANTS)]

    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (SaysWebhookForCallbackUrl, "callback_url"),
        (SaysNVariantsForNumImages, "input.num_images"),
    ],
)
def test_the_finding_names_what_the_contract_calls_a_member(
    kind: type[Client], name: str, http: httpx.Client
) -> None:
    (case,) = (each for each in cases_of(kind) if kind.breaks in each.judged)

    seen = {each.rule: each.seen for each in tried(kind, case, http).findings}

    assert f"did you mean {name}?" in seen[kind.breaks]


@pytest.mark.parametrize("kind", [Client, AsksEvery200Ms], ids=name_of)
def test_repeated_runs_of_a_client_give_the_same_verdicts(
    kind: type[Client], http: httpx.Client
) -> None:
    runs = [
        [
            [(each.rule, each.verdict) for each in tried(kind, case, http).findings]
            for case in telling_cases(kind)
        ]
        for _ in range(RUNS)
    ]

    assert runs == [runs[0]] * RUNS


def test_the_page_tells_of_every_mutant_client_what_catches_it(blamed_by: Blamed) -> None:
    """The page is made of all cases, and held to those that the clients are tried in here."""
    _, _, clients = PAGE.read_text(encoding="utf-8").partition("\n## Clients\n")
    rows = re.findall(r"^\| (C-\S+) \| (\S+) \| (.+) \|$", clients, re.MULTILINE)
    told = {(rule, name): set(cases.split()) for rule, name, cases in rows}

    assert "**" not in clients, "a mutant survives, or is blamed by a second rule"
    assert {(kind.breaks, name_of(kind)) for kind in MUTANTS} == told.keys()
    for kind in MUTANTS:
        tried_in = {each.id for each in telling_cases(kind)}
        catching = set(blamed_by(kind)[kind.breaks])
        assert told[kind.breaks, name_of(kind)] & tried_in == catching, "run: make docs"
