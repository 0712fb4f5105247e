"""The part of a sandbox in this process that holds its rules."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from mock_server.domain.news import Change, News
from mock_server.domain.rule_book import Applied, Queued, Rule, RuleBook
from mock_server.domain.rules import Asked, Definition


class Ruled(ABC):
    _book: RuleBook

    @property
    def has_rules(self) -> bool:
        return not self._book.is_empty

    async def choose(self, asked: Asked) -> Applied | None:
        return self._book.choose(asked)

    async def rules(self) -> tuple[Sequence[Rule], Sequence[Rule]]:
        return list(self._book.rules), list(self._book.profile)

    async def set_rules(self, definitions: Sequence[Definition]) -> None:
        self._book.set(definitions)
        self._tell(Change.SETTINGS)

    async def add_rule(self, definition: Definition) -> None:
        self._book.add(definition)
        self._tell(Change.SETTINGS)

    async def put_next(self, definition: Definition, count: int) -> None:
        self._book.put_next(definition, count)
        self._tell(Change.SETTINGS)

    async def queue(self) -> Sequence[Queued]:
        return list(self._book.queue)

    @abstractmethod
    def _tell(self, news: News) -> None: ...
