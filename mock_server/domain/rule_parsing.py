"""Parse rules. Most servers start without any, so the grammar is imported with the first one."""

from collections.abc import Mapping

from mock_server.domain.errors import InvalidValue, RuleError
from mock_server.domain.rules import RuleDefinition


def parse_rule(
    value: object, path: str, fail_codes: Mapping[str, str], *, is_checked: bool = False
) -> RuleDefinition:
    """Return the rule that a decoded value describes. Raise RuleError.

    `path` is the position of the rule for errors, such as `rules[3]`; it may be empty.
    With `is_checked`, the regular expression is known to be valid and is not compiled.
    """
    from mock_server.domain.rule_definitions import rule_definition  # noqa: PLC0415  # as above

    try:
        return rule_definition(value, path, fail_codes, is_checked=is_checked)
    except InvalidValue as error:
        raise RuleError(error.path, error.problem, is_missing=error.is_missing) from error
