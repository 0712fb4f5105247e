"""Result pictures: `/results/{task}/{number}-{token}.png`, no key needed (RES-1 … RES-3)."""

import re
from collections.abc import Awaitable, Callable, Mapping
from hashlib import blake2b
from typing import NamedTuple, TypeAlias

from starlette.types import Scope

from mock_server.domain.catalogue import Model
from mock_server.domain.faults.effect import RuleRejection
from mock_server.domain.operation import Operation
from mock_server.domain.results import TaskView
from mock_server.domain.rules import RuleInput
from mock_server.domain.store import SandboxReader, Store
from mock_server.domain.task import TASK_ID_PATTERN, Task, TaskState, sandbox_id_in, state_at
from mock_server.web.answer import (
    Answer,
    Header,
    gone,
    missing,
    rejected_by_rule,
    wrong_method,
)
from mock_server.web.paths import RESULTS_PREFIX
from mock_server.web.pipeline import Endpoint
from mock_server.web.ranges import RangeNotSatisfiable, parse_range
from mock_server.web.request import Headers, ProviderRequest
from mock_server.web.responder import Responder
from mock_server.web.result_addresses import result_token

PNG = b"image/png"
_PATH = rf"{RESULTS_PREFIX}({TASK_ID_PATTERN})/([1-9])-([0-9a-f]{{32}})\.png"

Paint: TypeAlias = Callable[[Task, int, int], Awaitable[bytes]]
"""Return the n-th picture of a task as a PNG, given the seed of its sandbox."""


class ResultEndpoint(Endpoint):
    operation = Operation.RESULT
    methods = ("GET", "HEAD")
    spoiled_statuses = frozenset({200, 206})

    def __init__(
        self,
        store: Store,
        responder: Responder,
        *,
        models: Mapping[str, Model],
        paint: Paint,
    ) -> None:
        self._store = store
        self._responder = responder
        self._models = models
        self._paint = paint

    async def sandbox(self, scope: Scope, headers: Headers, real_ms: int) -> SandboxReader | None:
        """Return the sandbox that has the picture, and whose journal gets the request.

        Several sandboxes contain a task if its snapshot was restored into others. Each has its own
        addresses, so none of them may hide a picture of another one.
        """
        address = _address(scope["path"])
        if address is None:
            return None
        best, rank = None, -1
        async for holder in self._store.holders(address.task_id):
            view = holder.task(address.task_id, real_ms)
            is_named = view is not None and address.names_picture_of(view.task, holder.seed)
            if view is not None and is_named and self._is_available(view):
                return holder
            if is_named > rank:
                best, rank = holder, is_named
        return best or await self._store.read(sandbox_id_in(address.task_id))

    async def reject_method(self, scope: Scope, sandbox: SandboxReader | None) -> Answer:
        return wrong_method(scope, ", ".join(self.methods), self._responder.now_ms())

    def reject_unknown(self, headers: Headers, real_ms: int) -> Answer:
        return missing(real_ms)

    def rule_input(self, request: ProviderRequest) -> RuleInput:
        path = request.target.path
        address = _address(path)
        assert address is not None, "the path contains a task id"
        return RuleInput(
            operation=self.operation,
            subject=f"{address.task_id} {path}",
            task_id=address.task_id,
            headers=request.headers.items(),
        )

    async def handle(self, request: ProviderRequest) -> Answer:
        address = _address(request.target.path)
        assert address is not None, "the path contains a task id"
        view = request.sandbox.task(address.task_id, request.real_ms)
        if view is None:
            return missing(request.real_ms)
        task, now_ms, seed = view.task, view.now_ms, request.sandbox.seed
        if not (address.names_picture_of(task, seed) and _is_made(view)):
            return missing(now_ms)
        if not self._is_available(view):
            return gone(now_ms, task.id)
        return _picture(await self._paint(task, address.number, seed), task.id, now_ms, request)

    async def reject(self, request: ProviderRequest, rejection: RuleRejection) -> Answer:
        answer = await self.handle(request)  # Downloads do not count toward a limit.
        return rejected_by_rule(rejection, answer.now_ms, answer.task_id)

    def _is_available(self, view: TaskView) -> bool:
        """Tell whether the pictures of a task can be downloaded (RES-1)."""
        end_ms, ttl_ms = view.task.end_ms, self._models[view.task.order.model_id].result_ttl_ms
        return _is_made(view) and end_ms is not None and view.now_ms < end_ms + ttl_ms


class _Address(NamedTuple):
    """The parts of a path of a picture."""

    task_id: str
    number: int
    token: str

    def names_picture_of(self, task: Task, seed: int) -> bool:
        """Tell whether this is the address of a picture of a task in a sandbox with this seed."""
        number = self.number
        return number <= task.order.num_images and self.token == result_token(task, number, seed)


def _address(path: str) -> _Address | None:
    found = re.fullmatch(_PATH, path)
    return None if found is None else _Address(found[1], int(found[2]), found[3])


def _is_made(view: TaskView) -> bool:
    return state_at(view.task, view.now_ms) is TaskState.SUCCESS


def _picture(png: bytes, task_id: str, now_ms: int, request: ProviderRequest) -> Answer:
    etag = b'"%b"' % blake2b(png, digest_size=16).hexdigest().encode()
    headers: tuple[Header, ...] = (
        (b"etag", etag),
        (b"accept-ranges", b"bytes"),
    )
    asked = request.headers
    if _etags(asked.get(b"if-none-match")) & {etag, b"*"}:
        return Answer(304, b"", now_ms, task_id, headers, content_type=None)
    if_range = asked.get(b"if-range")
    is_partial = request.target.method == "GET" and if_range in {None, etag}
    wanted = asked.get(b"range") if is_partial else None
    try:
        part = parse_range(wanted, len(png))
    except RangeNotSatisfiable:
        unsatisfied = (*headers, (b"content-range", b"bytes */%d" % len(png)))
        return Answer(416, b"", now_ms, task_id, unsatisfied, PNG)
    if part is None:
        return Answer(200, png, now_ms, task_id, headers, PNG)
    first, last = part
    described = (*headers, (b"content-range", b"bytes %d-%d/%d" % (first, last, len(png))))
    return Answer(206, png[first : last + 1], now_ms, task_id, described, PNG)


def _etags(value: bytes | None) -> set[bytes]:
    if value is None:
        return set()
    return {tag.strip().removeprefix(b"W/") for tag in value.split(b",")}
