"""The property of each target holds for every input of its corpus, and for its seeds."""

import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from tests.fuzz.json_mutation import mutate
from tests.fuzz.target import CORPUS, inputs, load, names

_MAX_BYTES = 1024 * 1024
_INPUTS = [
    pytest.param(name, path, id=f"{name}-{path.name}") for name in names() for path in inputs(name)
]


# Patterns in rules cause these warnings: a later Python may read them differently.
@pytest.mark.filterwarnings("ignore:Possible:FutureWarning")
@pytest.mark.parametrize(("name", "path"), _INPUTS)
def test_property_holds_for_input_of_the_corpus(name: str, path: Path) -> None:
    load(name).check(path.read_bytes())


@pytest.mark.parametrize("name", names())
def test_property_holds_for_the_seeds(name: str) -> None:
    for seed in [*load(name).seeds(), b""]:
        load(name).check(seed)


def test_changed_seeds_are_other_documents() -> None:
    json_targets = [target for target in map(load, names()) if target.is_json]

    for seed in [seed for target in json_targets for seed in target.seeds()]:
        changed = {mutate(seed, Random(number)) for number in range(100)} - {None}

        assert len(changed) > 20


def test_corpus_is_small_and_has_no_folder_without_target() -> None:
    files = [path for path in CORPUS.rglob("*") if path.is_file()]

    assert sum(path.stat().st_size for path in files) < _MAX_BYTES
    assert {path.parent.name for path in files} <= {*names()}


def test_runner_names_the_known_targets() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "rulez"], capture_output=True, text=True, check=False
    )

    assert ended.returncode == 2
    assert "rulez" in ended.stderr
    assert "rules" in ended.stderr
