"""Prints the kill matrix: `python -m tests.contract_tests.mutants.matrix > docs/mutants.md`."""

import logging
import sys
from collections.abc import Mapping, Sequence

from contract_tests.register import load_register
from tests.contract_tests.mutants.all_mutants import all_mutants, killers

_HEAD = """\
# Mutants: proof that the kit has teeth

Each mutant is the true mock behind a thin wrapper that breaks one thing. It must be caught by a
case of exactly the clause that it breaks; the true mock must pass every case. This page is made by
`make docs`, and a test holds it to the truth.

| clause | mutant | caught by |
|---|---|---|
"""


def page(kills: Mapping[str, Sequence[str]]) -> str:
    """Write the matrix, by clause in the order of the contract."""
    order = [clause.id for clause in load_register()]
    rows = [
        f"| {mutant.clause} | {mutant.name} | {' '.join(kills[mutant.name]) or '**survives**'} |"
        for mutant in sorted(all_mutants(), key=lambda mutant: order.index(mutant.clause))
    ]
    return _HEAD + "\n".join(rows) + f"\n\n{len(rows)} mutants.\n"


if __name__ == "__main__":
    logging.getLogger("mock_server").setLevel(logging.CRITICAL)
    sys.stdout.write(page({mutant.name: killers(mutant) for mutant in all_mutants()}))
