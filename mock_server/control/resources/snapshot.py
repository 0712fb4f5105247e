"""Snapshots: the complete state of the caller's sandbox as one document."""

from collections.abc import Callable, Generator

import msgspec
from starlette.requests import Request

from mock_server.control.authentication import Authenticator
from mock_server.control.call import Call
from mock_server.control.ended_tasks import settle_ended
from mock_server.control.errors import ControlError
from mock_server.control.journal_entry import redacted
from mock_server.control.long_list import long_list
from mock_server.control.slices import Slices, in_slices
from mock_server.domain.catalogue import Catalogue
from mock_server.domain.commands import TakeSnapshot
from mock_server.domain.dispatching import CallbackDispatcher
from mock_server.domain.errors import InvalidValue, NoRoom, SandboxDamaged, SandboxMissing
from mock_server.domain.sandbox.restoring import preparing_steps
from mock_server.domain.snapshot import Snapshot, parsing_steps
from mock_server.domain.store import SandboxReader, Store
from mock_server.web.body import BodyTooLarge, read_body

MAX_BYTES = 256 * 1024 * 1024


class SnapshotResource:
    def __init__(
        self,
        store: Store,
        dispatcher: CallbackDispatcher,
        authenticator: Authenticator,
        catalogue: Catalogue,
        *,
        real_ms: Callable[[], int],
    ) -> None:
        self._store = store
        self._dispatcher = dispatcher
        self._authenticator = authenticator
        self._catalogue = catalogue
        self._real_ms = real_ms

    def calls(self) -> list[Call]:
        path = "/_mock/sandbox/snapshot"
        return [
            Call("GET", path, self.take, "Export the complete sandbox, without its API key"),
            Call(
                "PUT",
                path,
                self.restore,
                "Replace the sandbox by a snapshot",
                body=Snapshot,
                rejects=(409,),
            ),
        ]

    async def take(self, sandbox: SandboxReader) -> Snapshot:
        real_ms = self._real_ms()
        await settle_ended(self._store, sandbox, real_ms)
        contents = await self._store.execute(sandbox.id, TakeSnapshot(real_ms=real_ms))
        redactor = self._authenticator.redactor(sandbox)
        return msgspec.structs.replace(
            contents.outline,
            tasks=long_list(contents.tasks()),
            deliveries=long_list(contents.deliveries()),
            journal=long_list(redacted(entry, redactor) for entry in contents.journal()),
        )

    async def restore(self, sandbox_id: str, request: Request) -> None:
        try:
            raw = await read_body(dict(request.headers.raw), request.receive, MAX_BYTES)
        except BodyTooLarge as error:
            raise ControlError(
                413,
                f"body: must have at most {MAX_BYTES} bytes; start the server with --restore FILE",
            ) from error
        try:
            snapshot = await in_slices(self._prepared(raw))
            await self._restore(sandbox_id, snapshot, request)
            await Slices().next()  # So this turn does not free both the snapshot and the old state.
        except SandboxMissing as error:
            raise ControlError(409, "the sandbox was deleted while the snapshot arrived") from error
        except NoRoom as error:
            raise ControlError(409, f"tasks: {error}") from error
        except InvalidValue as error:
            raise ControlError(400, f"body: is not a valid snapshot; {error}") from error

    def _prepared(self, raw: bytes) -> Generator[None, None, Snapshot]:
        """Return the snapshot in a body, prepared so that the command takes little time."""
        snapshot = yield from parsing_steps(raw, self._catalogue)
        yield from preparing_steps(snapshot, self._catalogue.fail_messages)
        return snapshot

    async def _restore(self, sandbox_id: str, snapshot: Snapshot, request: Request) -> None:
        try:
            await self._dispatcher.restore(sandbox_id, snapshot)
        except SandboxDamaged:  # Nothing can be appended to its log, so another one begins.
            await self._store.remove(sandbox_id)
            await self._authenticator.sandbox(request)
            await self._dispatcher.restore(sandbox_id, snapshot)
