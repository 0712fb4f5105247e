"""Control of the rules of the caller's sandbox, and of what is injected next."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mock_server.control.caller import Callers
from mock_server.control.decoding import read
from mock_server.control.openapi.references import MatchOfNext, WrittenApply, WrittenRule
from mock_server.control.replies import Refused, resource
from mock_server.domain.rule_book import MAX_NEXT, MAX_RULES, Queued, Rule
from mock_server.domain.rules import Definition, parse_rule
from mock_server.domain.store import Sandbox
from mock_server.domain.wording import Wrong, whole

Json = dict[str, Any]
COUNTED = ("nth", "times", "times_each", "probability")


class RulesChange(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    rules: Annotated[list[WrittenRule], Meta(extra_json_schema={"maxItems": MAX_RULES})]
    profile: Any = None  # of what GET shows: taken and ignored


class Next(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    apply: WrittenApply
    match: MatchOfNext = None
    count: Annotated[
        Any, Meta(extra_json_schema={"type": "integer", "minimum": 1, "maximum": MAX_NEXT})
    ] = 1


class RuleRoutes:
    def __init__(self, callers: Callers, fail_codes: Mapping[str, str]) -> None:
        self._callers = callers
        self._fail_codes = fail_codes

    async def show(self, request: Request) -> Response:
        return await self._shown(await self._callers.sandbox(request))

    async def replace(self, request: Request) -> Response:
        sandbox = await self._callers.sandbox(request)
        written = (await read(request, RulesChange)).rules
        if len(written) > MAX_RULES:
            raise Refused(400, f"rules: must be at most {MAX_RULES}")
        await sandbox.set_rules(
            [self._parsed(each, f"rules[{at}]") for at, each in enumerate(written)]
        )
        return await self._shown(sandbox)

    async def add(self, request: Request) -> Response:
        sandbox = await self._callers.sandbox(request)
        definition = self._parsed(await read(request, dict[str, Any]), "rule")
        own, _ = await sandbox.rules()
        if len(own) >= MAX_RULES:
            raise Refused(400, f"rules: there are {MAX_RULES} already, as many as may be")
        await sandbox.add_rule(definition)
        return await self._shown(sandbox)

    async def clear(self, request: Request) -> Response:
        sandbox = await self._callers.sandbox(request)
        await sandbox.set_rules([])
        return await self._shown(sandbox)

    async def put_next(self, request: Request) -> Response:
        sandbox = await self._callers.sandbox(request)
        wanted = await read(request, Next)
        definition = self._parsed({"match": wanted.match, "apply": wanted.apply}, "")
        for name in COUNTED:
            if name in definition.written["match"]:
                raise Refused(400, f"match.{name}: does not go with next, which has a count")
        try:
            count = whole(wanted.count, "count", 1, MAX_NEXT)
        except Wrong as error:
            raise Refused(400, str(error)) from error
        if len(await sandbox.queue()) >= MAX_NEXT:
            raise Refused(400, f"next: {MAX_NEXT} are queued already, as many as may be")
        await sandbox.put_next(definition, count)
        return await self._queue(sandbox)

    async def show_next(self, request: Request) -> Response:
        return await self._queue(await self._callers.sandbox(request))

    def routes(self) -> list[Route]:
        return [
            resource(
                "/_mock/rules", GET=self.show, PUT=self.replace, POST=self.add, DELETE=self.clear
            ),
            resource("/_mock/next", GET=self.show_next, POST=self.put_next),
        ]

    def _parsed(self, written: object, path: str) -> Definition:
        try:
            return parse_rule(written, path, self._fail_codes)
        except Wrong as error:
            raise Refused(400, str(error).removeprefix(".")) from error

    async def _shown(self, sandbox: Sandbox) -> Response:
        own, of_profile = await sandbox.rules()
        return self._callers.reply(
            sandbox,
            {
                "rules": [rule_view(rule) for rule in own],
                "profile": {
                    "name": sandbox.settings.profile,
                    "rules": [rule_view(rule) for rule in of_profile],
                },
            },
        )

    async def _queue(self, sandbox: Sandbox) -> Response:
        queued = [_queued(each) for each in await sandbox.queue()]
        return self._callers.reply(sandbox, {"next": queued})


def rule_view(rule: Rule) -> Json:
    return {"id": rule.id, **rule.definition.written, "applied": rule.applied}


def _queued(queued: Queued) -> Json:
    return {"id": queued.id, **queued.definition.written, "count": queued.left}
