"""The address of a store, the value of `--store`."""

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta

from mock_server.domain.setting_forms import Form

MEMORY = "memory"
SQLITE = "sqlite:"
# The kinds of stores: how people write them, and what an address of the kind matches.
_KINDS = {
    MEMORY: MEMORY,
    f"{SQLITE}FILE": rf"{SQLITE}.*\S.*",
    "redis://HOST:PORT/DB": r"rediss?(\+(unix|sentinel|cluster))?://\S+",
}
_ADDRESS = rf"^\s*({'|'.join(_KINDS.values())})\s*$"


def is_shared(address: str) -> bool:
    """Tell whether several processes can use the store at once."""
    return address.startswith("redis")


def without_secrets(address: str) -> str:
    """Return the address without user, password and options."""
    if not is_shared(address):
        return address
    scheme, separator, rest = address.partition("://")
    place = rest.partition("?")[0].rpartition("@")[2]
    return f"{scheme}{separator}{place}"


def _any_of(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"


STORE = Form(
    metavar="ADDRESS",
    must_be=_any_of([*_KINDS]),
    kind=Annotated[str, Meta(pattern=_ADDRESS)],
    parse=str.strip,
    show=without_secrets,
    has_secrets=True,
)
