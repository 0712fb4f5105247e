"""Control of the caller's sandbox: settings, clock, tasks, callbacks."""

from collections.abc import Mapping

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mock_server.control.caller import Callers
from mock_server.control.changes import (
    Advance,
    ClockChange,
    Finish,
    Profiles,
    SandboxChange,
    duration,
)
from mock_server.control.decoding import read
from mock_server.control.queries import seconds, whole, word
from mock_server.control.replies import Refused, reply, resource
from mock_server.control.views import (
    Json,
    counters_view,
    delivery_view,
    settings_view,
    task_detail,
    task_view,
)
from mock_server.control.waiting import until
from mock_server.domain.errors import TaskEnded
from mock_server.domain.nearest import did_you_mean
from mock_server.domain.store import Sandbox, Seen
from mock_server.domain.task import TaskState, state_at
from mock_server.runtime.dispatcher import Dispatcher, SandboxDropped, TooLate
from mock_server.web.envelope import ResultUrls

DEFAULT_LIMIT = 100
DEFAULT_TIMEOUT_S = 5.0


class SandboxRoutes:
    def __init__(
        self,
        callers: Callers,
        dispatcher: Dispatcher,
        *,
        result_urls: ResultUrls,
        fail_messages: Mapping[str, str],
        default_generation_ms: int,
        profiles: Profiles,
    ) -> None:
        self._profiles = profiles
        self._callers = callers
        self._dispatcher = dispatcher
        self._result_urls = result_urls
        self._fail_messages = fail_messages
        self._default_generation_ms = default_generation_ms

    async def show(self, request: Request) -> Response:
        return reply(await self._describe(await self._callers.sandbox(request)))

    async def change(self, request: Request) -> Response:
        sandbox = await self._callers.sandbox(request)
        change = await read(request, SandboxChange)
        profile = None if change.profile is None else change.new_profile(self._profiles)
        await sandbox.change(
            change.apply(sandbox.settings, self._profiles),
            change.balance_microusd,
            self._callers.real_ms(),
            None if profile is None else profile.rules,
        )
        return reply(await self._describe(sandbox))

    async def drop(self, request: Request) -> Response:
        await self._dispatcher.reset(await self._callers.sandbox(request))
        return Response(status_code=204)

    async def clock(self, request: Request) -> Response:
        sandbox = await self._callers.sandbox(request)
        return reply(await sandbox.clock(self._callers.real_ms()))

    async def set_clock(self, request: Request) -> Response:
        sandbox = await self._callers.sandbox(request)
        change = await read(request, ClockChange)
        present = await sandbox.clock(self._callers.real_ms())
        return reply(
            await self._dispatcher.set_clock(
                sandbox, change.mode or present.mode, change.speed or present.speed
            )
        )

    async def advance(self, request: Request) -> Response:
        sandbox = await self._callers.sandbox(request)
        by_ms = duration("seconds", (await read(request, Advance)).seconds)
        if by_ms == 0:
            raise Refused(400, "seconds: must be more than 0")
        try:
            from_ms, now_ms, fired = await self._dispatcher.advance(sandbox, by_ms)
        except TooLate as error:
            raise Refused(400, "seconds: leads past the year 9999") from error
        except SandboxDropped as error:
            raise Refused(409, "the sandbox was dropped while its clock was moved") from error
        return reply({"from_ms": from_ms, "now_ms": now_ms, "fired": fired})

    async def tasks(self, request: Request) -> Response:
        sandbox = await self._callers.sandbox(request)
        query = request.query_params
        wanted = word("state", query.get("state"), TaskState)
        limit = whole(query, "limit", DEFAULT_LIMIT, 1)
        tasks, now_ms = await sandbox.tasks(self._callers.real_ms())
        shown: list[Json] = []
        for task in tasks:
            if len(shown) == limit:
                break
            if wanted is None or state_at(task, now_ms) is wanted:
                shown.append(task_view(task, now_ms, self._result_urls))
        return self._callers.reply(sandbox, {"tasks": shown})

    async def task(self, request: Request) -> Response:
        sandbox = await self._callers.sandbox(request)
        task_id = request.path_params["task_id"]
        seen = await sandbox.task(task_id, self._callers.real_ms())
        return self._callers.reply(sandbox, await self._detail(sandbox, _found(seen, task_id)))

    async def wait(self, request: Request) -> Response:
        sandbox = await self._callers.sandbox(request)
        task_id = request.path_params["task_id"]
        wanted = word("state", request.query_params.get("state"), TaskState)
        timeout_s = seconds(request.query_params, "timeout", DEFAULT_TIMEOUT_S)

        async def look() -> tuple[Seen, bool]:
            seen = _found(await sandbox.task(task_id, self._callers.real_ms()), task_id)
            state = state_at(seen.task, seen.now_ms)
            return seen, state.is_final if wanted is None else state is wanted

        async def next_s(seen: Seen) -> float | None:
            return await sandbox.wait_until_s(_next_change_ms(seen), self._callers.real_ms())

        seen, holds = await until(sandbox, look, timeout_s, next_s)
        shown = self._callers.reply(sandbox, await self._detail(sandbox, seen))
        if holds:
            return shown
        named = "an end" if wanted is None else f"the state {wanted.value!r}"
        raise Refused(
            408,
            f"the task has not come to {named} within {timeout_s:g} s",
            msgspec.json.decode(shown.body),
        )

    async def finish(self, request: Request) -> Response:
        sandbox = await self._callers.sandbox(request)
        task_id = request.path_params["task_id"]
        fail_code, fail_message = self._outcome(await read(request, Finish))
        try:
            seen = await sandbox.finish(task_id, fail_code, fail_message, self._callers.real_ms())
        except TaskEnded as error:
            raise Refused(409, str(error)) from error
        found = _found(seen, task_id)
        self._dispatcher.wake(sandbox)
        return self._callers.reply(sandbox, await self._detail(sandbox, found))

    async def callbacks(self, request: Request) -> Response:
        sandbox = await self._callers.sandbox(request)
        deliveries = [delivery_view(each) for each in await sandbox.deliveries()]
        return self._callers.reply(sandbox, {"deliveries": deliveries})

    def routes(self) -> list[Route]:
        return [
            resource("/_mock/sandbox", GET=self.show, PATCH=self.change, DELETE=self.drop),
            resource("/_mock/clock", GET=self.clock, PUT=self.set_clock),
            resource("/_mock/clock/advance", POST=self.advance),
            resource("/_mock/tasks", query=("state", "limit"), GET=self.tasks),
            resource("/_mock/tasks/{task_id}", GET=self.task),
            resource("/_mock/tasks/{task_id}/finish", POST=self.finish),
            resource("/_mock/tasks/{task_id}/wait", query=("state", "timeout"), GET=self.wait),
            resource("/_mock/callbacks", GET=self.callbacks),
        ]

    async def _describe(self, sandbox: Sandbox) -> Json:
        return {
            "id": sandbox.id,
            "settings": settings_view(sandbox.settings, self._default_generation_ms),
            "counters": counters_view(await sandbox.counters(self._callers.real_ms())),
        }

    async def _detail(self, sandbox: Sandbox, seen: Seen) -> Json:
        entries = [entry for _, entry in await sandbox.entries() if entry.task_id == seen.task.id]
        return task_detail(seen.task, seen.now_ms, self._result_urls, entries)

    def _outcome(self, finish: Finish) -> tuple[str | None, str | None]:
        """Return fail code and message; raises Refused when they do not fit the state."""
        if finish.state == "success":
            if finish.fail_code is not None or finish.fail_msg is not None:
                raise Refused(400, "failCode: goes with the state 'failed' only")
            return None, None
        code = finish.fail_code or "GENERATION_FAILED"
        if code not in self._fail_messages:
            raise Refused(400, f"failCode: is unknown{did_you_mean(code, self._fail_messages)}")
        return code, finish.fail_msg or self._fail_messages[code]


def _found(seen: Seen | None, task_id: str) -> Seen:
    if seen is None:
        raise Refused(404, f"no task of this key has the id {task_id[:100]!r}")
    return seen


def _next_change_ms(seen: Seen) -> int | None:
    """Return when the task's state changes next by itself."""
    plan = seen.task.plan
    if seen.now_ms < plan.start_ms:
        return plan.start_ms
    return None if plan.end_ms is None or plan.end_ms <= seen.now_ms else plan.end_ms
