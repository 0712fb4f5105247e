"""Measures how many mutants the kit kills, in processes of its own.

`python -m tests.contract_tests.mutants.engine.measuring` prints one line of JSON for each mutant,
as soon as it is known.
"""

import argparse
import logging
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Final

import msgspec

from contract_tests.server.catalogue import all_cases
from tests.contract_tests.mutants.engine.all import SEED, engine_mutants
from tests.contract_tests.mutants.engine.alterations import EngineMutant
from tests.contract_tests.mutants.engine.killing import Kill, Killers

MEASURED: Final = Path(__file__).with_name("measured.jsonl")
"""The last results: one line of JSON for each mutant and kind of target."""
_KILLERS = Killers()  # one for each process


def measured(
    mutants: Iterable[EngineMutant], *, is_foreign: bool, processes: int, seed: int = SEED
) -> Iterator[Kill]:
    """Yield the result for each mutant as soon as it is known, in any order."""
    names = [mutant.name for mutant in mutants if not (is_foreign and mutant.needs_control)]
    with ProcessPoolExecutor(
        processes, mp_context=get_context("spawn"), initializer=_quiet
    ) as pool:
        futures = [pool.submit(_kill, name, seed, is_foreign) for name in names]
        for future in as_completed(futures):
            yield future.result()


def read_measured(path: Path = MEASURED) -> list[Kill]:
    """Return the last result for each mutant and kind of target in a file of JSON lines."""
    lines = path.read_text(encoding="utf-8").splitlines()
    kills = [msgspec.json.decode(line, type=Kill) for line in lines]
    return list({(kill.mutant, kill.is_foreign): kill for kill in kills}.values())


def _quiet() -> None:
    for name in ("mock_server", "uvicorn"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    logging.basicConfig(level=logging.WARNING)
    logging.getLogger("mutants").setLevel(logging.INFO)
    all_cases()


def _kill(name: str, seed: int, is_foreign: bool) -> Kill:  # noqa: FBT001  # sent to a process
    started_s, used_s = time.monotonic(), time.process_time()
    mutant = next(each for each in engine_mutants(seed) if each.name == name)
    kill = _KILLERS.kill(mutant, is_foreign=is_foreign)
    logging.getLogger("mutants").info(
        "%s %.1f s, %.1f s of CPU", name, time.monotonic() - started_s, time.process_time() - used_s
    )
    return kill


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=0, help="measure a sample of this size")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--foreign", action="store_true")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--match", default="", help="only mutants whose name has this part")
    options = parser.parse_args()
    mutants = [each for each in engine_mutants(options.seed) if options.match in each.name]
    if options.size:
        mutants = Random(options.seed).sample(mutants, min(options.size, len(mutants)))
    killed = total = 0
    for kill in measured(
        mutants, is_foreign=options.foreign, processes=options.processes, seed=options.seed
    ):
        total, killed = total + 1, killed + bool(kill.case)
        sys.stdout.write(msgspec.json.encode(kill).decode() + "\n")
        sys.stdout.flush()
    sys.stderr.write(f"{killed} of {total} killed\n")


if __name__ == "__main__":
    main()
