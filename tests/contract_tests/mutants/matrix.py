"""Prints the kill matrix: `python -m tests.contract_tests.mutants.matrix > docs/mutants.md`.

The results of generated mutants are in `engine/measured.jsonl`. `--measure` measures all of them
anew and writes this file, which takes hours.
"""

import argparse
import logging
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from os import cpu_count
from random import Random
from typing import Final

import msgspec

from contract_tests.client.rules import RULES
from contract_tests.contract.register import load_register
from tests.contract_tests.clients import all_clients, corpus
from tests.contract_tests.clients.good import Client
from tests.contract_tests.mutants.all_mutants import all_mutants, cases_of, killers
from tests.contract_tests.mutants.engine.all import SEED, engine_mutants
from tests.contract_tests.mutants.engine.killing import Kill
from tests.contract_tests.mutants.engine.measuring import MEASURED, measured, read_measured
from tests.contract_tests.mutants.engine.rates import rates_part
from tests.contract_tests.mutants.legal.accepting import VARIATIONS

_PROCESSES: Final = cpu_count() or 1
_WITHOUT_CONTROL: Final = 160  # generated mutants, measured in real time
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

_VARIATIONS = """
## Legal variations

Each of these servers differs from the mock and keeps the contract. The kit must accept it.

| clause | server |
|---|---|
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


def page(kills: Mapping[str, Sequence[str]], measured: Iterable[Kill], blames: Blames) -> str:
    return (
        servers_part(kills)
        + rates_part(measured)
        + variations_part()
        + clients_part(blames)
        + programs_part()
    )


def servers_part(kills: Mapping[str, Sequence[str]]) -> str:
    """Write the matrix, by clause in the order of the contract."""
    order = [clause.id for clause in load_register()]
    rows = [
        f"| {mutant.clause} | {mutant.name} | {' '.join(kills[mutant.name]) or '**survives**'} |"
        for mutant in sorted(all_mutants(), key=lambda mutant: order.index(mutant.clause))
    ]
    return _HEAD + "\n".join(rows) + f"\n\n{len(rows)} mutants.\n"


def variations_part() -> str:
    """Write what the kit must accept, by clause in the order of the contract."""
    order = [clause.id for clause in load_register()]
    rows = [
        f"| {each.clause} | {each.name} |\n"
        for each in sorted(VARIATIONS, key=lambda each: order.index(each.clause))
    ]
    return _VARIATIONS + "".join(rows) + f"\n{len(rows)} variations.\n"


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


def kills_of_all() -> dict[str, tuple[str, ...]]:
    """Return the cases that catch each mutant that is written by hand, by name."""
    names = [mutant.name for mutant in all_mutants()]
    with ProcessPoolExecutor(_PROCESSES, mp_context=get_context("spawn")) as pool:
        return dict(zip(names, pool.map(_killers_of, names), strict=True))


def _killers_of(name: str) -> tuple[str, ...]:
    logging.getLogger("mock_server").setLevel(logging.CRITICAL)
    mutant = next(each for each in all_mutants() if each.name == name)
    return killers(mutant, cases_of(mutant))


def measure_generated() -> list[Kill]:
    """Measure all generated mutants with control, and a sample without."""
    slow = Random(SEED).sample(engine_mutants(), _WITHOUT_CONTROL)
    return [
        *measured(engine_mutants(), is_foreign=False, processes=_PROCESSES),
        # These mostly wait for tasks.
        *measured(slow, is_foreign=True, processes=4 * _PROCESSES),
    ]


if __name__ == "__main__":
    logging.getLogger("mock_server").setLevel(logging.CRITICAL)
    parser = argparse.ArgumentParser()
    parser.add_argument("--measure", action="store_true", help="measure generated mutants anew")
    if parser.parse_args().measure:
        lines = [msgspec.json.encode(kill).decode() for kill in measure_generated()]
        MEASURED.write_text("\n".join(lines) + "\n", encoding="utf-8")
    sys.stdout.write(page(kills_of_all(), read_measured(), blames_of_all()))
