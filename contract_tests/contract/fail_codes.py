"""The fail codes of the provider's pages (FAIL-1 … FAIL-3)."""

from collections.abc import Mapping

import msgspec

from contract_tests.contract.data import FIXTURES


def load_fail_codes() -> Mapping[str, str]:
    """Return the message of each known fail code, in the order of the data file."""
    content = (FIXTURES / "contract" / "fail_codes.toml").read_bytes()
    return msgspec.toml.decode(content, type=dict[str, str])
