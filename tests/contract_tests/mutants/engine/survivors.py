"""The generated mutants that are known to survive, with reasons."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import msgspec

_FILE = Path(__file__).with_name("survivors.toml")


class Survivors(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """The reasons by the name of the mutant, for both kinds of target."""

    with_control: Mapping[str, str]
    without_control: Mapping[str, str]

    def of(self, *, is_foreign: bool) -> Mapping[str, str]:
        return self.without_control if is_foreign else self.with_control


@cache
def survivors() -> Survivors:
    return msgspec.toml.decode(_FILE.read_bytes(), type=Survivors)
