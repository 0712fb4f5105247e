"""The rules of the caller's sandbox."""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from mock_server.control.answers import Count
from mock_server.control.call import Call
from mock_server.control.errors import ControlError
from mock_server.control.long_list import long_list
from mock_server.control.references import MatchOfRule, WrittenApply, WrittenRule
from mock_server.control.rule_reader import RuleReader
from mock_server.domain.commands import AddRule, SetRules
from mock_server.domain.rule_book import MAX_RULES, RuleState
from mock_server.domain.rules import RuleDefinition
from mock_server.domain.store import SandboxReader, Store


class RulesChange(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    rules: Annotated[list[WrittenRule], Meta(extra_json_schema={"maxItems": MAX_RULES})]
    profile: Any = None  # Ignored: GET returns it, and its response can be sent back.


class RuleView(msgspec.Struct):
    id: str
    match: MatchOfRule
    apply: WrittenApply
    applied: Count

    @classmethod
    def of(cls, rule: RuleState) -> "RuleView":
        return cls(id=rule.id, **rule.definition.written, applied=rule.applied)


class ProfileRules(msgspec.Struct):
    name: str
    rules: list[RuleView]


class RuleList(msgspec.Struct):
    rules: list[RuleView]
    profile: ProfileRules


class RulesResource:
    def __init__(self, store: Store, reader: RuleReader, *, real_ms: Callable[[], int]) -> None:
        self._store = store
        self._real_ms = real_ms
        self._reader = reader

    def calls(self) -> list[Call]:
        path = "/_mock/rules"
        return [
            Call(
                "GET",
                path,
                self.show,
                "List the rules in order, with the number of times each was applied",
            ),
            Call("PUT", path, self.replace, "Replace all rules"),
            Call("POST", path, self.add, "Append a rule"),
            Call("DELETE", path, self.clear, "Delete all rules"),
        ]

    async def show(self, sandbox: SandboxReader) -> RuleList:
        own, of_profile = sandbox.rules()
        return RuleList(
            rules=long_list(map(RuleView.of, own)),
            profile=ProfileRules(
                name=sandbox.settings.profile, rules=long_list(map(RuleView.of, of_profile))
            ),
        )

    async def replace(self, sandbox: SandboxReader, body: RulesChange) -> RuleList:
        if len(body.rules) > MAX_RULES:
            raise ControlError(
                400, f"rules: must be at most {MAX_RULES} rules (got {len(body.rules)})"
            )
        return await self._set(sandbox, await self._reader.read_all(sandbox, body.rules, "rules"))

    async def add(self, sandbox: SandboxReader, body: WrittenRule) -> RuleList:
        definition = self._reader.read(sandbox, body, "rule")
        own, _ = sandbox.rules()
        if len(own) >= MAX_RULES:
            raise ControlError(400, f"rules: the sandbox has {MAX_RULES} rules, the maximum")
        self._reader.check_weight([*(rule.definition for rule in own), definition], "rules")
        add = AddRule(real_ms=self._real_ms(), definition=definition)
        await self._store.execute(sandbox.id, add)
        return await self.show(sandbox)

    async def clear(self, sandbox: SandboxReader) -> RuleList:
        return await self._set(sandbox, [])

    async def _set(self, sandbox: SandboxReader, definitions: list[RuleDefinition]) -> RuleList:
        replace = SetRules(real_ms=self._real_ms(), definitions=definitions)
        await self._store.execute(sandbox.id, replace)
        return await self.show(sandbox)
