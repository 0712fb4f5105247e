"""Read the rules in the bodies of calls."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from mock_server.control.errors import ControlError
from mock_server.control.slices import Slices
from mock_server.domain.errors import InvalidValue, RuleError
from mock_server.domain.rule_parsing import parse_rule
from mock_server.domain.rules import RuleDefinition, check_weight
from mock_server.domain.store import SandboxReader, Store
from mock_server.web.redaction import Redactor


class RuleReader:
    """Reads rules for a store. In a durable store, header conditions do not contain the API key.

    With such a store, requests are matched without their key too (`HeaderBlock.redacted`).
    """

    def __init__(
        self,
        store: Store,
        fail_codes: Mapping[str, str],
        redactor_of: Callable[[SandboxReader], Redactor],
    ) -> None:
        self._is_durable = store.is_durable
        self._fail_codes = fail_codes
        self._redactor_of = redactor_of

    async def read_all(
        self, sandbox: SandboxReader, written: Sequence[object], path: str
    ) -> list[RuleDefinition]:
        """Return rules. Raise ControlError (400) if one is invalid; `path` is for errors.

        Other requests are served meanwhile, because each regular expression takes up to some
        milliseconds to compile.
        """
        definitions, slices = [], Slices()
        for at, each in enumerate(written):
            definitions.append(self.read(sandbox, each, f"{path}[{at}]"))
            await slices.pause()
        self.check_weight(definitions, path)
        return definitions

    def check_weight(self, rules: Iterable[RuleDefinition], path: str) -> None:
        """Raise ControlError (400) if rules of one sandbox need too much memory."""
        try:
            check_weight(rules, path)
        except InvalidValue as error:
            raise ControlError(400, str(error)) from error

    def read(self, sandbox: SandboxReader, written: object, path: str) -> RuleDefinition:
        """Return a rule. Raise ControlError (400) if it is invalid; `path` is for errors."""
        try:
            definition = parse_rule(written, path, self._fail_codes)
        except RuleError as error:
            raise ControlError(400, str(error)) from error
        if self._is_durable and definition.conditions.headers:
            return self._without_key(definition, self._redactor_of(sandbox))
        return definition

    def _without_key(self, definition: RuleDefinition, redactor: Redactor) -> RuleDefinition:
        match: dict[str, Any] = definition.written["match"]
        names = match["header"]
        headers = map(redactor.condition, definition.conditions.headers)
        values = (value.decode("latin-1") for _, value in headers)
        redacted = {**match, "header": dict(zip(names, values, strict=True))}
        written = {**definition.written, "match": redacted, "id": definition.id}
        return parse_rule(written, "rule", self._fail_codes, is_checked=True)
