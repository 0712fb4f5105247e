"""Directives: text in a prompt that decides how its task ends, without a change of the client.

`a fox [[mock fail=CONTENT_VIOLATION message="no foxes"]] in the snow`
"""

import re
from collections.abc import Iterator, Mapping

from mock_server.domain.errors import InvalidRequest, InvalidValue
from mock_server.domain.outcome import Outcome, parse_outcome

_OPENING = re.compile(r"\[\[mock(?=[\s\]]|$)")
_TOKEN = re.compile(
    r"""\s* (?: (?P<end>\]\])
          | (?P<name>[^\s="\]]+)
            (?: = (?: "(?P<quoted>(?:[^"\\]|\\.)*)" | (?P<bare>[^\s"\]]*) ) )? )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def parse_directives(prompt: str, fail_codes: Mapping[str, str]) -> Outcome | None:
    """Return the outcome that all directives of a prompt request together, or None.

    If a member is repeated, the last one counts. Raises InvalidRequest if a directive is invalid.
    """
    if "[[mock" not in prompt:
        return None
    found = list(_directives(prompt))
    if not found:
        return None
    members: dict[str, object] = {}
    for _, _, named in found:
        members |= named
    try:
        return parse_outcome(members, fail_codes)
    except InvalidValue as error:
        raise InvalidRequest(f"input.prompt: directive {error}") from error


def without_directives(prompt: str) -> str:
    """Return the prompt without its directives, as it is drawn and moderated."""
    if "[[mock" not in prompt:
        return prompt
    kept, at = [], 0
    for start, end, _ in _directives(prompt):
        kept.append(prompt[at:start])
        at = end
    return "".join([*kept, prompt[at:]]).strip()


def _directives(prompt: str) -> Iterator[tuple[int, int, dict[str, object]]]:
    """Yield start, end and members of every directive."""
    at = 0
    while opening := _OPENING.search(prompt, at):
        at, members = _members(prompt, opening.end())
        yield opening.start(), at, members


def _members(prompt: str, at: int) -> tuple[int, dict[str, object]]:
    members: dict[str, object] = {}
    while token := _TOKEN.match(prompt, at):
        at = token.end()
        if token["end"]:
            return at, members
        quoted, bare = token["quoted"], token["bare"]
        if quoted is not None:
            members[token["name"]] = _ESCAPED.sub(r"\1", quoted)
        else:
            members[token["name"]] = True if bare is None else bare
    raise InvalidRequest(
        f"input.prompt: directive at character {at} is invalid;"
        ' write [[mock fail=CODE message="…" pending=2s processing=500ms polls=3 hold]]'
    )
