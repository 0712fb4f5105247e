"""An unexpected exception during an attempt loses no callback and keeps no claim."""

import asyncio
from collections.abc import Collection
from contextlib import suppress

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from mock_server.domain.commands import Command, R, SetRules
from mock_server.domain.rule_parsing import parse_rule
from mock_server.domain.sandbox.sandbox import Sandbox
from tests.mock_server.runtime.processes import ID, Process, ProcessStore, SharedSandbox
from tests.mock_server.runtime.virtual_loop import run_virtually
from tests.mock_server.runtime.work import are_delivered
from tests.mock_server.store.bench import CATALOGUE
from tests.properties import examples


class Bug(Exception):
    """An exception that nothing expects."""


class BrokenStore(ProcessStore):
    """Raises Bug in some of its next operations: before it applies them, or after."""

    bugs: Collection[int] = ()  # The numbers of these operations, from 1.
    operations = 0
    is_applied = False

    async def execute(self, sandbox_id: str, command: Command[R]) -> R:
        is_broken = self._is_broken()
        if is_broken and not self.is_applied:
            raise Bug
        result = await super().execute(sandbox_id, command)
        if is_broken:
            raise Bug
        return result

    async def read(self, sandbox_id: str) -> Sandbox | None:
        if self._is_broken():
            raise Bug
        return await super().read(sandbox_id)

    def _is_broken(self) -> bool:
        self.operations += 1
        return self.operations in self.bugs


class Trial(msgspec.Struct, frozen=True):
    """A number of callbacks, and the operations of the store that raise Bug."""

    tasks: int
    has_rules: bool
    bugs: frozenset[int]
    is_applied: bool

    async def begun(self, mode: str) -> tuple[SharedSandbox, Process, BrokenStore]:
        """Return the sandbox with its callback tasks, and a process whose store now has bugs."""
        shared = SharedSandbox(mode=mode)
        await shared.begin()
        store = BrokenStore(shared, "one")
        process = Process(shared, "one", store=store)
        if self.has_rules:
            written = {"match": {"operation": "callback", "nth": 99}, "apply": {"callback": "drop"}}
            rule = parse_rule(written, "rule", CATALOGUE.fail_messages)
            await store.execute(ID, SetRules(real_ms=process.real_ms(), definitions=[rule]))
        for _ in range(self.tasks):
            await process.submit(3000)
        store.operations, store.bugs, store.is_applied = 0, self.bugs, self.is_applied
        return shared, process, store

    def assert_all_ended(self, shared: SharedSandbox, process: Process) -> None:
        assert len(shared.received()) == self.tasks
        assert are_delivered(shared, self.tasks)
        assert shared.sandbox.claim_owners() == set()
        assert shared.sandbox.clock_holder is None
        assert process.dispatcher.is_idle


trials = st.builds(
    Trial,
    tasks=st.integers(1, 4),
    has_rules=st.booleans(),
    bugs=st.frozensets(st.integers(1, 40), min_size=1, max_size=3),
    is_applied=st.booleans(),
)


@examples(150)
@given(trials)
def test_unexpected_exception_loses_no_callback_and_keeps_no_claim(trial: Trial) -> None:
    async def main() -> None:
        shared, process, _ = await trial.begun("real")
        await shared.until(lambda: are_delivered(shared, trial.tasks))
        await asyncio.sleep(60)

        trial.assert_all_ended(shared, process)

    run_virtually(main())


@examples(150)
@given(trials)
def test_advance_delivers_everything_after_an_unexpected_exception(trial: Trial) -> None:
    async def main() -> None:
        shared, process, store = await trial.begun("manual")
        with suppress(Bug):
            await process.advance(10_000)
        store.bugs = ()
        await asyncio.sleep(60)
        await process.advance(1_000_000)
        await asyncio.sleep(60)

        trial.assert_all_ended(shared, process)

    run_virtually(main())
