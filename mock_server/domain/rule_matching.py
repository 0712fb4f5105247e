"""Match the rules of a sandbox: search the prompt first, then decide."""

import msgspec

from mock_server.domain.ports import PatternSearch
from mock_server.domain.rule_book import RuleMatch
from mock_server.domain.rules import RuleInput
from mock_server.domain.store import Sandbox


class RuleMatcher:
    """Keeps the regular expressions, whose search has a time limit, out of the sandbox."""

    def __init__(self, search: PatternSearch) -> None:
        self._search = search

    async def match(self, sandbox: Sandbox, rule_input: RuleInput) -> RuleMatch | None:
        """Return the rule that matches a request or a callback attempt, and count it."""
        patterns = await sandbox.patterns_for(rule_input)
        if patterns:
            found = self._search.found(patterns, rule_input.prompt or "")
            rule_input = msgspec.structs.replace(rule_input, found_patterns=found)
        return await sandbox.match_rules(rule_input)
