"""Every mutant client violates exactly the rule that it is made for."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx
import pytest

from contract_tests.client.rules import RULES
from contract_tests.contract.verdicts import Verdict
from tests.contract_tests.clients.all_clients import (
    GOOD,
    MUTANTS,
    blaming_rules,
    cases_of,
    main_cases,
    mock_http,
    name_of,
    try_client,
)
from tests.contract_tests.clients.broken_requests import (
    SendsNVariantsInsteadOfNumImages,
    SendsWebhookInsteadOfCallbackUrl,
)
from tests.contract_tests.clients.broken_waiting import PollsEvery200Ms
from tests.contract_tests.clients.good import Client

PAGE = Path(__file__).parents[2] / "docs" / "mutants.md"
RUNS = 3

Violations = Callable[[type[Client]], Mapping[str, tuple[str, ...]]]

http = mock_http


@pytest.fixture(scope="module")
def violations_of(http: httpx.Client) -> Violations:
    """Return a function that gives the violated rules of a client; each client runs once."""
    known: dict[type[Client], Mapping[str, tuple[str, ...]]] = {}

    def violations_once(kind: type[Client]) -> Mapping[str, tuple[str, ...]]:
        if kind not in known:
            known[kind] = blaming_rules(kind, main_cases(kind), http)
        return known[kind]

    return violations_once


@pytest.mark.deep
@pytest.mark.long
@pytest.mark.parametrize("kind", MUTANTS, ids=name_of)
def test_mutant_violates_exactly_its_rule(kind: type[Client], violations_of: Violations) -> None:
    assert set(violations_of(kind)) == {kind.violates}


@pytest.mark.parametrize("kind", GOOD, ids=name_of)
def test_correct_client_passes_in_every_situation(kind: type[Client], http: httpx.Client) -> None:
    verdicts = {each.id: try_client(kind, each, http).verdict for each in cases_of(kind)}

    assert verdicts == dict.fromkeys(verdicts, Verdict.PASS)


def test_every_rule_has_a_mutant() -> None:
    assert {rule.id for rule in RULES} == {kind.violates for kind in MUTANTS}


def test_names_of_clients_are_unique() -> None:
    names = [name_of(kind) for kind in (*GOOD, *MUTANTS)]

    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (SendsWebhookInsteadOfCallbackUrl, "callback_url"),
        (SendsNVariantsInsteadOfNumImages, "input.num_images"),
    ],
)
def test_finding_suggests_the_documented_member(
    kind: type[Client], name: str, http: httpx.Client
) -> None:
    (case,) = (each for each in cases_of(kind) if kind.violates in each.judged)

    seen = {each.rule: each.seen for each in try_client(kind, case, http).findings}

    assert f'did you mean "{name}"?' in seen[kind.violates]


@pytest.mark.parametrize("kind", [Client, PollsEvery200Ms], ids=name_of)
def test_repeated_runs_of_a_client_give_the_same_verdicts(
    kind: type[Client], http: httpx.Client
) -> None:
    runs = [
        [
            [(each.rule, each.verdict) for each in try_client(kind, case, http).findings]
            for case in main_cases(kind)
        ]
        for _ in range(RUNS)
    ]

    assert runs == [runs[0]] * RUNS


@pytest.mark.deep
@pytest.mark.long
def test_page_lists_the_cases_that_catch_each_mutant_client(violations_of: Violations) -> None:
    """The page covers all cases; this test checks those that the clients run in here."""
    _, _, clients = PAGE.read_text(encoding="utf-8").partition("\n## Clients\n")
    clients, _, _ = clients.partition("\n## Client programs\n")
    rows = re.findall(r"^\| (C-\S+) \| (\S+) \| (.+) \|$", clients, re.MULTILINE)
    told = {(rule, name): set(cases.split()) for rule, name, cases in rows}

    assert "**" not in clients, "a mutant survives, or violates a second rule"
    assert {(kind.violates, name_of(kind)) for kind in MUTANTS} == told.keys()
    for kind in MUTANTS:
        tried_in = {each.id for each in main_cases(kind)}
        catching = set(violations_of(kind)[kind.violates])
        assert told[kind.violates, name_of(kind)] & tried_in == catching, (
            f"{name_of(kind)}: run: make docs"
        )
