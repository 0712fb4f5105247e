"""Match a request or callback against the rules of its sandbox."""

import msgspec

from mock_server.domain.commands import MatchRules
from mock_server.domain.ports import PatternSearch
from mock_server.domain.rule_book import RuleMatch
from mock_server.domain.rules import RuleInput
from mock_server.domain.store import SandboxReader, Store


class RuleMatcher:
    """Searches the rules' regular expressions first, then lets the sandbox match.

    A search has a time limit in real time, so its result is part of the command. A durable store
    gets only the headers that a rule asks for.
    """

    def __init__(self, store: Store, search: PatternSearch) -> None:
        self._store = store
        self._search = search

    async def match(
        self, sandbox: SandboxReader, rule_input: RuleInput, real_ms: int
    ) -> RuleMatch | None:
        """Return the first rule that matches, and count the match."""
        if not sandbox.may_match(rule_input, real_ms):
            return None
        if self._store.is_durable:
            headers = rule_input.headers & sandbox.header_conditions()
            rule_input = msgspec.structs.replace(rule_input, headers=headers)
        patterns, prompt = sandbox.patterns_for(rule_input, real_ms)
        if patterns:
            found = await self._search.found(patterns, prompt, sandbox.id)
            rule_input = msgspec.structs.replace(rule_input, found_patterns=found)
        return await self._store.execute(
            sandbox.id, MatchRules(real_ms=real_ms, rule_input=rule_input)
        )
