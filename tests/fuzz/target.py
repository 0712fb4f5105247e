"""Targets: what is fuzzed, and which property must hold for every input."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

FOLDER = Path(__file__).parent
CORPUS = FOLDER / "corpus"
LONGEST_ERROR = 2_000  # In characters. Long errors list all valid words, but repeat no input.


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One reader of foreign input with its property.

    `check` raises if the property does not hold for an input; it must not depend on earlier
    inputs. `handle` runs the product code alone, without what the property compares it with. Its
    time is measured for the inputs of `worst`, which are made for a number of bytes.
    """

    check: Callable[[bytes], None]
    handle: Callable[[bytes], object]
    seeds: Callable[[], Iterable[bytes]]
    worst: Mapping[str, Callable[[int], bytes]] = field(default_factory=dict)
    budget_ms: int = 50  # The limit for 1 MiB of the worst input, on an idle machine.
    words: tuple[bytes, ...] = ()  # The fuzzer tries to insert these.
    is_json: bool = False  # Whether inputs are JSON, so that members can be changed.


def names() -> list[str]:
    """Return the names of all targets: those of the modules in `targets/`."""
    return sorted(path.stem for path in (FOLDER / "targets").glob("[a-z]*.py"))


def load(name: str) -> Target:
    """Return a target. Only its module is imported."""
    target: Target = import_module(f"tests.fuzz.targets.{name}").TARGET
    return target


def inputs(name: str) -> list[Path]:
    """Return the files of a target's corpus."""
    return sorted(path for path in (CORPUS / name).glob("*") if path.is_file())
