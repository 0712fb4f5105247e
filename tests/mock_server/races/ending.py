"""End all tasks in the sandboxes of a race, and read their state."""

import json
from typing import Any
from urllib.parse import quote

import msgspec

from mock_server.domain.snapshot import Snapshot
from tests.mock_server.e2e.api import BALANCE
from tests.mock_server.races.connection import Connection, Response, request
from tests.mock_server.races.history import STEP_HEADER, Entry, KeyView

_ALL = 10_000
_NAME = STEP_HEADER.decode()


class Ending:
    """Talks to one sandbox when nobody else does."""

    def __init__(self, connection: Connection, key: str) -> None:
        self._connection = connection
        self._key = key

    async def end(self) -> KeyView:
        """End all tasks and callbacks, and return the state."""
        await self._control("PUT", "clock", {"mode": "manual"})
        await self._control("DELETE", "rules")
        await self._control("DELETE", "next")
        for task in (await self._control("GET", f"tasks?limit={_ALL}"))["tasks"]:
            if task["state"] in {"pending", "processing"}:
                path = f"tasks/{quote(task['task_id'])}/finish"
                await self._control("POST", path, {"state": "success"})
        await self._control("POST", "clock/advance", {"seconds": "1d"})
        return await self._view()

    async def delete(self) -> None:
        await self._send("DELETE", "/_mock/sandbox?remove=true")

    async def _view(self) -> KeyView:
        page = await self._control("GET", f"journal?limit={_ALL}")
        counters = (await self._control("GET", "sandbox"))["counters"]
        snapshot = (await self._send("GET", "/_mock/sandbox/snapshot")).body
        balance = json.loads((await self._send("GET", BALANCE)).body)["data"]
        return KeyView(
            counters=counters,
            snapshot=msgspec.json.decode(snapshot, type=Snapshot),
            entries=[_entry(each) for each in page["entries"]],
            balance=balance,
        )

    async def _control(self, method: str, path: str, body: object = None) -> Any:
        response = await self._send(method, f"/_mock/{path}", body)
        return json.loads(response.body or b"null")

    async def _send(self, method: str, path: str, body: object = None) -> Response:
        raw = None if body is None else json.dumps(body).encode()
        await self._connection.send(request(method, path, self._key, raw).raw)
        response = await self._connection.receive()
        assert response.status < 300, f"{method} {path}: {response.status} {response.body!r}"
        return response


def _entry(shown: dict[str, Any]) -> Entry:
    steps = [int(value) for name, value in shown["request"]["headers"] if name == _NAME]
    return Entry(
        seq=shown["seq"],
        step=steps[0] if steps else None,
        operation=shown["operation"],
        status=shown["status"] or 0,
        at_ms=shown["at_ms"],
    )
