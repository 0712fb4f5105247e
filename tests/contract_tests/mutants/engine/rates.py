"""Writes the part of docs/mutants.md about generated mutants."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from contract_tests.contract.register import load_register
from tests.contract_tests.mutants.engine.all import (
    ALTERATIONS,
    combinations,
    engine_mutants,
    excluded,
)
from tests.contract_tests.mutants.engine.contexts import CONTEXTS
from tests.contract_tests.mutants.engine.killing import Kill
from tests.contract_tests.mutants.engine.survivors import survivors

TITLE = "## Generated servers"
_HEAD = """\
Each of these mutants does one thing wrong in one context only, such as "drops `costTime`, but only
for tasks on the route `value`". Its name is the operator, the place and the context.

- {alterations} alterations (an operator at a place) and {contexts} contexts make {combinations}
  combinations.
- {mutants} of them are chosen: every alteration occurs, and all contexts about equally often.
- A mutant is killed if a run of the suite `full` has a failed finding that names its clause, or one
  of a few clauses that say the same.
- Without control, a warning counts too: clauses that no page states, or on which pages disagree,
  cannot fail there. It names the clause, and a server that keeps the contract gets none.
- Without control, the server is fast (`--generation-time 1`), keeps real time and has no `/_mock`.
  Mutants that only show after more than ten minutes of real time, or at the documented limits, are
  left out there: {reachable} remain.

Measured: {with_control} mutants with control, and {without_control} without. If these are not all,
they are the first ones of a random order.

"""
_EXCLUDED = """
### Excluded combinations

| combinations | reason |
|---|---|
"""


def rates_part(kills: Iterable[Kill]) -> str:
    """Return the rates of both kinds of targets by clause, and the survivors."""
    measured: dict[bool, dict[str, Kill]] = {False: {}, True: {}}
    for kill in kills:
        measured[kill.is_foreign][kill.mutant] = kill
    return (
        f"{TITLE}\n\n{_intro(measured)}{_table(measured)}{_survivors(measured)}{_EXCLUDED}"
        + "".join(f"| {count} | {reason} |\n" for reason, count in excluded().most_common())
    )


def _intro(measured: Mapping[bool, Mapping[str, Kill]]) -> str:
    return _HEAD.format(
        alterations=len(ALTERATIONS),
        contexts=len(CONTEXTS),
        combinations=f"{combinations():,}",
        mutants=len(engine_mutants()),
        with_control=len(measured[False]),
        reachable=sum(not mutant.needs_control for mutant in engine_mutants()),
        without_control=len(measured[True]),
    )


def _table(measured: Mapping[bool, Mapping[str, Kill]]) -> str:
    rows = [(clause.id, _counts(measured, clause.id)) for clause in load_register()]
    lines = [f"| {clause} | {cells} |\n" for clause, cells in rows if cells]
    total = (
        f"| **all** | {_cells(measured[False].values())} | {_cells(measured[True].values())} |\n"
    )
    return (
        "| clause | killed with control | killed without control |\n|---|---|---|\n"
        + total
        + "".join(lines)
    )


def _counts(measured: Mapping[bool, Mapping[str, Kill]], clause: str) -> str:
    of_clause = [
        [kill for kill in measured[is_foreign].values() if kill.clause == clause]
        for is_foreign in (False, True)
    ]
    return " | ".join(_cells(kills) for kills in of_clause) if any(of_clause) else ""


def _cells(kills: Iterable[Kill]) -> str:
    found = Counter(bool(kill.case) for kill in kills)
    total = sum(found.values())
    return f"{found[True]} of {total} ({100 * found[True] // total} %)" if total else "-"


def _survivors(measured: Mapping[bool, Mapping[str, Kill]]) -> str:
    parts = []
    for is_foreign, title in ((False, "with control"), (True, "without control")):
        alive = [kill for kill in measured[is_foreign].values() if not kill.case]
        parts.append(f"\n### Survivors {title}\n\n" + _rows(alive, is_foreign=is_foreign))
    return "".join(parts)


def _rows(alive: Sequence[Kill], *, is_foreign: bool) -> str:
    if not alive:
        return "None.\n"
    reasons = survivors().of(is_foreign=is_foreign)
    lines = [
        f"| {kill.clause} | {kill.mutant} | {reasons.get(kill.mutant, 'Not examined yet.')} |\n"
        for kill in sorted(alive, key=lambda kill: kill.mutant)
    ]
    return "| clause | mutant | why it survives |\n|---|---|---|\n" + "".join(lines)
