"""Prints the kill matrix: `python -m tests.contract_tests.mutants.matrix > docs/mutants.md`."""

import logging
import sys
from collections.abc import Mapping, Sequence

from contract_tests.client.rules import RULES
from contract_tests.contract.register import load_register
from tests.contract_tests.clients import all_clients, corpus
from tests.contract_tests.clients.good import Client
from tests.contract_tests.mutants.all_mutants import all_mutants, cases_of, killers

Blames = Mapping[type[Client], Mapping[str, Sequence[str]]]

_HEAD = """\
# Mutants: what the kit detects

`make docs` generates this page, and tests check that it is current.

## Servers

Each mutant is the mock with a small wrapper that violates one clause. At least one case of this
clause must fail. The unchanged mock must pass every case.

| clause | mutant | caught by |
|---|---|---|
"""

_CLIENTS = """
## Clients

Each mutant is a correct client with one step changed. Only the rule in the table must fail for it.
The correct clients must pass every case.

| rule | mutant client | caught by |
|---|---|---|
"""

_PROGRAMS = """
## Client programs

Each program is a real client with one bug, in `tests/contract_tests/clients/programs`. The rule
names the bug in this case. Nothing is found in the good programs in the same folder, in any case.

| finding | language | bug | case | program |
|---|---|---|---|---|
"""


def page(kills: Mapping[str, Sequence[str]], blames: Blames) -> str:
    return servers_part(kills) + clients_part(blames) + programs_part()


def servers_part(kills: Mapping[str, Sequence[str]]) -> str:
    """Write the matrix, by clause in the order of the contract."""
    order = [clause.id for clause in load_register()]
    rows = [
        f"| {mutant.clause} | {mutant.name} | {' '.join(kills[mutant.name]) or '**survives**'} |"
        for mutant in sorted(all_mutants(), key=lambda mutant: order.index(mutant.clause))
    ]
    return _HEAD + "\n".join(rows) + f"\n\n{len(rows)} mutants.\n"


def clients_part(blames: Blames) -> str:
    """Write who is caught where, by rule in the order of the audit's report."""
    order = [rule.id for rule in RULES]
    mutants = sorted(all_clients.MUTANTS, key=lambda kind: order.index(kind.violates))
    rows = [
        f"| {kind.violates} | {all_clients.name_of(kind)} | {_caught(kind, blames[kind])} |"
        for kind in mutants
    ]
    return _CLIENTS + "\n".join(rows) + f"\n\n{len(rows)} mutants.\n"


def programs_part() -> str:
    """Write what is wrong with each bad program, by rule in the order of the audit's report."""
    order = [rule.id for rule in RULES]
    programs = sorted(corpus.bad_programs(), key=lambda each: order.index(each.rule))
    rows = [
        f"| {each.rule} | {each.language} | {each.bug} | {each.case} | `{each.file}` |"
        for each in programs
    ]
    return (
        _PROGRAMS
        + "\n".join(rows)
        + f"\n\n{len(rows)} bad programs, {len(corpus.good_programs())} good ones.\n"
    )


def _caught(kind: type[Client], blamed: Mapping[str, Sequence[str]]) -> str:
    others = [rule for rule in blamed if rule != kind.violates]
    cases = " ".join(blamed.get(kind.violates, ())) or "**survives**"
    return cases + (f" **and blamed by {' '.join(others)}**" if others else "")


def blames_of_all() -> Blames:
    with all_clients.mock() as http:
        return {
            kind: all_clients.blaming_rules(kind, all_clients.cases_of(kind), http)
            for kind in all_clients.MUTANTS
        }


if __name__ == "__main__":
    logging.getLogger("mock_server").setLevel(logging.CRITICAL)
    kills = {mutant.name: killers(mutant, cases_of(mutant)) for mutant in all_mutants()}
    sys.stdout.write(page(kills, blames_of_all()))
