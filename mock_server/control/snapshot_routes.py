"""Everything of the caller's sandbox as one document, out and in again."""

from collections.abc import Callable

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mock_server.control.caller import Callers
from mock_server.control.journal_view import without_key
from mock_server.control.replies import Refused, resource
from mock_server.domain.catalogue import Catalogue
from mock_server.domain.errors import StoreFull
from mock_server.domain.snapshot import Snapshot, parse_snapshot
from mock_server.runtime.dispatcher import Dispatcher
from mock_server.web.body import BodyTooLarge, read_body

MAX_BYTES = 256 * 1024 * 1024

Adopt = Callable[[str, int], None]


class SnapshotRoutes:
    def __init__(
        self,
        callers: Callers,
        dispatcher: Dispatcher,
        catalogue: Catalogue,
        adopt: Adopt,
    ) -> None:
        self._callers = callers
        self._dispatcher = dispatcher
        self._catalogue = catalogue
        self._adopt = adopt

    async def take(self, request: Request) -> Response:
        sandbox = await self._callers.sandbox(request)
        snapshot = await sandbox.snapshot(self._callers.real_ms())
        return self._callers.reply(sandbox, shareable(snapshot))

    async def put_back(self, request: Request) -> Response:
        sandbox = await self._callers.sandbox(request)
        try:
            raw = await read_body(dict(request.headers.raw), request.receive, MAX_BYTES)
        except BodyTooLarge as error:
            raise Refused(
                413, f"body: must have at most {MAX_BYTES} bytes; a larger one goes in by --restore"
            ) from error
        try:
            snapshot = parse_snapshot(raw, self._catalogue)
            self._adopt(snapshot.origin, snapshot.seed)
            fail_codes = self._catalogue.fail_messages
            await self._dispatcher.restore(sandbox, snapshot, fail_codes)
        except StoreFull as error:
            raise Refused(409, f"there is no room for so many tasks; {error}") from error
        except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
            raise Refused(400, f"this is no snapshot: {error}") from error
        return Response(status_code=204)

    def routes(self) -> list[Route]:
        return [resource("/_mock/sandbox/snapshot", GET=self.take, PUT=self.put_back)]


def shareable(snapshot: Snapshot) -> Snapshot:
    """Return the snapshot without any key in its journal."""
    journal = [without_key(entry) for entry in snapshot.journal]
    return msgspec.structs.replace(snapshot, journal=journal)
