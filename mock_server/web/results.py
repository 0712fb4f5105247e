"""Result pictures: `/results/{task}/{number}-{token}.png`, no key needed (RES-1 … RES-3)."""

import re
from collections.abc import Awaitable, Callable, Mapping
from hashlib import blake2b
from urllib.parse import quote

from starlette.types import Receive, Scope, Send

from mock_server.domain.catalogue import Model
from mock_server.domain.chance import draw
from mock_server.domain.journal import Operation
from mock_server.domain.rules import RuleInput
from mock_server.domain.store import Sandbox, Store
from mock_server.domain.task import TASK_ID, Task, TaskState, state_at
from mock_server.web.answer import Answer, Header
from mock_server.web.exchange import Exchange, Headers, Served, gone, missing, wrong_method
from mock_server.web.meaning_faults import spoiled
from mock_server.web.ranges import Unsatisfiable, byte_range

PREFIX = "/results/"
PNG = b"image/png"
_MAX_FOREIGN = 10_000
_PATH = re.compile(rf"/results/({TASK_ID})/([1-9])-([0-9a-f]{{32}})\.png")

Paint = Callable[[Task, int], Awaitable[bytes]]


class ResultAddresses:
    """Addresses that nobody guesses, and that the same seed gives again."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._foreign: dict[str, int] = {}  # seeds of restored sandboxes, by the id they had

    def adopt(self, origin: str, seed: int) -> None:
        """Give the tasks of a restored sandbox the addresses that they had."""
        self._foreign.pop(origin, None)
        if seed != self._seed:
            self._foreign[origin] = seed
            if len(self._foreign) > _MAX_FOREIGN:
                del self._foreign[next(iter(self._foreign))]

    def urls(self, task: Task) -> list[str]:
        """Return one address an image (STA-7)."""
        task_id = quote(task.id, safe="")
        return [
            f"{task.base_url}{PREFIX}{task_id}/{number}-{self.token(task, number)}.png"
            for number in range(1, task.num_images + 1)
        ]

    def token(self, task: Task, number: int) -> str:
        seed = self._foreign.get(task.sandbox_id, self._seed) if self._foreign else self._seed
        return draw(seed, task.sandbox_id, task.ordinal, f"result {number}").hex()


class ResultEndpoint:
    def __init__(
        self,
        store: Store,
        exchange: Exchange,
        *,
        addresses: ResultAddresses,
        models: Mapping[str, Model],
        paint: Paint,
    ) -> None:
        self._store = store
        self._exchange = exchange
        self._addresses = addresses
        self._models = models
        self._paint = paint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = self._exchange
        began_ns = exchange.now_ns()
        if scope["method"] not in {"GET", "HEAD"}:
            await exchange.send(send, wrong_method(scope, "GET, HEAD", exchange.now_ms()))
            return
        found = _PATH.fullmatch(scope["path"])
        sandbox = await self._store.holder(found[1]) if found else None
        if found is None or sandbox is None:
            await exchange.send(send, missing(exchange.now_ms()))
            return
        served = Served(sandbox, Operation.RESULT, began_ns, scope)
        applied = None
        if sandbox.has_rules:
            rule_input = await self._about(sandbox, found[1], scope)
            applied = await exchange.rules.match(sandbox, rule_input)
        if applied is not None:
            await exchange.pause(applied)
        answer = await self._answer(sandbox, found[1], int(found[2]), found[3], scope)
        if applied is not None and applied.effect.rejection is not None:
            answer = exchange.refusal(applied.effect.rejection, answer.now_ms, answer.task_id)
        elif applied is not None and applied.effect.meaning and answer.status in {200, 206}:
            answer = spoiled(answer, applied.effect.meaning)
        elif applied is not None and applied.effect.meaning and not applied.effect.always_shows:
            applied = None
        await exchange.respond(served, answer, send, applied)

    async def _about(self, sandbox: Sandbox, task_id: str, scope: Scope) -> RuleInput:
        seen = await sandbox.task(task_id, self._exchange.now_ms())
        return RuleInput(
            operation=Operation.RESULT,
            subject=f"{task_id} {scope['path']}",
            prompt=seen.task.prompt if seen else None,
            headers=dict(scope["headers"]),
            state=state_at(seen.task, seen.now_ms) if seen else None,
        )

    async def _answer(
        self, sandbox: Sandbox, task_id: str, number: int, token: str, scope: Scope
    ) -> Answer:
        seen = await sandbox.task(task_id, self._exchange.now_ms())
        if seen is None:
            return missing(self._exchange.now_ms())
        task, now_ms = seen.task, seen.now_ms
        ended_ms = task.plan.end_ms
        if (
            number > task.num_images
            or token != self._addresses.token(task, number)
            or state_at(task, now_ms) is not TaskState.SUCCESS
            or ended_ms is None
        ):
            return missing(now_ms)
        if now_ms >= ended_ms + round(self._models[task.model_id].result_ttl_s * 1000):
            return gone(now_ms, task.id)
        return _picture(await self._paint(task, number), task.id, now_ms, scope)


def _picture(png: bytes, task_id: str, now_ms: int, scope: Scope) -> Answer:
    etag = b'"%b"' % blake2b(png, digest_size=16).hexdigest().encode()
    headers: tuple[Header, ...] = (
        (b"etag", etag),
        (b"accept-ranges", b"bytes"),
    )
    asked: Headers = dict(scope["headers"])
    if _etags(asked.get(b"if-none-match")) & {etag, b"*"}:
        return Answer(304, b"", now_ms, task_id, headers, content_type=None)
    if_range = asked.get(b"if-range")
    is_partial = scope["method"] == "GET" and if_range in {None, etag}
    wanted = asked.get(b"range") if is_partial else None
    try:
        part = byte_range(wanted, len(png))
    except Unsatisfiable:
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
