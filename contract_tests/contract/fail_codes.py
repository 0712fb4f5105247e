"""The fail codes of the provider's pages (FAIL-1 … FAIL-3)."""

import re
from collections.abc import Mapping
from functools import cache

import msgspec

from contract_tests.contract.data import FIXTURES


@cache
def load_fail_codes() -> Mapping[str, str]:
    """Return the message of each known fail code, in the order of the data file."""
    content = (FIXTURES / "contract" / "fail_codes.toml").read_bytes()
    return msgspec.toml.decode(content, type=dict[str, str])


def named_fail_code(text: str) -> str | None:
    """Return the first known fail code that a text names as a word of its own, if any."""
    return next((word for word in re.findall(r"\w+", text) if word in load_fail_codes()), None)
