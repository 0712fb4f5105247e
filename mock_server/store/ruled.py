"""The part of a sandbox in this process that holds its rules."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from mock_server.domain.news import Change, News
from mock_server.domain.rule_book import QueuedRule, Rule, RuleBook, RuleMatch
from mock_server.domain.rules import RuleDefinition, RuleInput


class Ruled(ABC):
    _book: RuleBook

    @property
    def has_rules(self) -> bool:
        return not self._book.is_empty

    async def patterns_for(self, rule_input: RuleInput) -> Sequence[str]:
        return self._book.patterns_for(rule_input)

    async def match_rules(self, rule_input: RuleInput) -> RuleMatch | None:
        return self._book.match(rule_input)

    async def rules(self) -> tuple[Sequence[Rule], Sequence[Rule]]:
        return list(self._book.rules), list(self._book.profile)

    async def set_rules(self, definitions: Sequence[RuleDefinition]) -> None:
        self._book.replace(definitions)
        self._tell(Change.SETTINGS)

    async def add_rule(self, definition: RuleDefinition) -> None:
        self._book.add(definition)
        self._tell(Change.SETTINGS)

    async def put_next(self, definition: RuleDefinition, count: int) -> None:
        self._book.put_next(definition, count)
        self._tell(Change.SETTINGS)

    async def queue(self) -> Sequence[QueuedRule]:
        return list(self._book.queue)

    @abstractmethod
    def _tell(self, news: News) -> None: ...
