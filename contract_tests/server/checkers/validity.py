"""Whether the contract says that a submit is valid, invalid, or neither (SUB-2 to SUB-14).

The rules are written from the contract alone. What no clause determines, or what depends on a
setting that is unknown, is open: such a submit is not judged.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from contract_tests.server.events import Request
from contract_tests.server.world import RECEIVER

_LARGE: Final = 8 * 1024 * 1024  # Bytes; no clause limits the size of a body.
_PROMPT_MAX: Final = 10_000  # Code points, SUB-9.
_REFERENCES_MAX: Final = 5  # SUB-12
_OTHER_RATIO: Final = re.compile(r"auto|\d{1,2}:\d{1,2}", re.ASCII)
_PUBLIC_HOST: Final = re.compile(r"([a-z0-9-]+\.)+(com|org|net|ai|io|dev)", re.ASCII)
_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE | re.ASCII)


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about the service; None if it is unknown.

    `has_choices` says whether the choices of the contract apply, as they do to a mock.
    """

    is_strict: bool | None
    accepts_general: bool | None
    has_choices: bool


class Problem(msgspec.Struct, frozen=True):
    """Why a submit is invalid: the clause, and the path of the member, or "" for the body."""

    clause: str
    path: str


class Validity(msgspec.Struct, frozen=True, kw_only=True):
    """A submit with a problem is invalid; `is_open` says that not everything is determined."""

    problems: tuple[Problem, ...]
    is_open: bool
    has_unknown_members: bool = False

    @property
    def is_valid(self) -> bool:
        return not self.problems and not self.is_open


class _Open:
    """The result of a rule that does not determine whether a member is valid."""


OPEN: Final = _Open()
Outcome = Problem | _Open | None
Members = Mapping[str, Any]


def rules_of(settings: Members | None) -> Rules:
    """Return what the settings of a mock say; None for another server."""
    if settings is None:
        return Rules(is_strict=None, accepts_general=None, has_choices=False)
    return Rules(
        is_strict=bool(settings.get("strict")),
        accepts_general=settings.get("general_parameters", "reject") == "accept",
        has_choices=True,
    )


def validity_of(request: Request, rules: Rules) -> Validity:
    """Return whether the contract says that a submit is valid."""
    outcome = _content_type(request)
    if outcome is not None:
        return _validity([outcome])
    if len(request.body) > _LARGE:
        return _validity([OPEN])
    body = _decoded(request.body)
    if isinstance(body, Problem | _Open):
        return _validity([body])
    given = body.get("input")
    task_input = given if isinstance(given, dict) else {}
    outcomes = [rule(body, rules) for rule in _BODY_RULES]
    if isinstance(given, dict):
        outcomes += [rule(given, rules) for rule in _INPUT_RULES]
    unknown = (body.keys() - _BODY_MEMBERS) | (task_input.keys() - _INPUT_MEMBERS)
    return _validity(outcomes, has_unknown_members=bool(unknown))


def _validity(outcomes: list[Outcome], *, has_unknown_members: bool = False) -> Validity:
    return Validity(
        problems=tuple(each for each in outcomes if isinstance(each, Problem)),
        is_open=any(isinstance(each, _Open) for each in outcomes),
        has_unknown_members=has_unknown_members,
    )


def _content_type(request: Request) -> Outcome:
    written = [value for name, value in request.headers if name.lower() == "content-type"]
    if len(written) != 1:
        return OPEN if written else Problem("SUB-2", "")
    media_type, _, parameters = written[0].partition(";")
    if media_type.strip().lower() != "application/json":
        return Problem("SUB-2", "")
    is_utf8 = not parameters or "utf-8" in parameters.lower()
    return None if is_utf8 else OPEN


def _decoded(content: bytes) -> Members | Problem | _Open:
    try:
        body = json.loads(content.decode("utf-8"), object_pairs_hook=_members)
    except RecursionError:
        return OPEN
    except _DuplicateMemberError:
        return OPEN
    except ValueError:
        return Problem("SUB-14", "")
    if not isinstance(body, dict):
        return Problem("SUB-2", "")
    return (
        OPEN if b"\\ud" in content.lower() or b"NaN" in content or b"Infinity" in content else body
    )


class _DuplicateMemberError(Exception):
    """A member occurs twice; no clause says which one counts."""


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _DuplicateMemberError
    return members


def _null(rules: Rules) -> Outcome:
    """Judge an optional member that is null: it counts as absent, by a choice of this project."""
    return None if rules.has_choices else OPEN


def _one_of(members: Members, name: str, values: tuple[Any, ...], clause: str, path: str,
            rules: Rules) -> Outcome:  # fmt: skip
    if name not in members:
        return None
    value = members[name]
    if value is None:
        return _null(rules)
    is_listed = any(type(value) is type(each) and value == each for each in values)
    return None if is_listed else Problem(clause, path)


def _request_type(body: Members, rules: Rules) -> Outcome:
    values = ("async", "callback")
    return _one_of(body, "request_type", values, "SUB-3", "request_type", rules)


def _provider(body: Members, rules: Rules) -> Outcome:
    return _one_of(body, "provider", ("auto", "value", "official"), "SUB-6", "provider", rules)


def _input(body: Members, _: Rules) -> Outcome:
    return None if isinstance(body.get("input"), dict) else Problem("SUB-7", "input")


def _callback_url(body: Members, rules: Rules) -> Outcome:
    url = body.get("callback_url")
    if body.get("request_type") != "callback":
        return None if url is None or isinstance(url, str) else OPEN
    if not isinstance(url, str) or not url:
        return Problem("SUB-4", "callback_url")
    scheme = _SCHEME.match(url)
    if scheme is None or scheme[1].lower() not in {"http", "https"}:
        return Problem("SUB-5", "callback_url")
    if _is_public_https(url):
        return None
    if rules.is_strict is None:
        return OPEN
    if rules.is_strict:
        is_plain = scheme[1].lower() == "http"
        return Problem("SUB-5", "callback_url") if is_plain else OPEN
    return None if url.startswith(f"{RECEIVER}/") else OPEN


def _is_public_https(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname or ""
    except ValueError:
        return False
    is_https = parts.scheme == "https" and port is None and parts.username is None
    return is_https and bool(_PUBLIC_HOST.fullmatch(host)) and url.isascii() and " " not in url


def _prompt(task_input: Members, _: Rules) -> Outcome:
    prompt = task_input.get("prompt")
    is_valid = isinstance(prompt, str) and 1 <= len(prompt) <= _PROMPT_MAX
    return None if is_valid else Problem("SUB-9", "input.prompt")


def _mode(task_input: Members, rules: Rules) -> Outcome:
    mode = task_input.get("mode")
    if mode == "gpt-image-1":
        return None
    if mode is None or mode in ("text-to-image", "image-to-image"):  # Pages disagree.
        if rules.is_strict is None:
            return OPEN
        return Problem("SUB-8", "input.mode") if rules.is_strict else None
    return Problem("SUB-8", "input.mode")


def _aspect_ratio(task_input: Members, rules: Rules) -> Outcome:
    values = ("1:1", "3:2", "2:3")
    path = "input.aspect_ratio"
    outcome = _one_of(task_input, "aspect_ratio", values, "SUB-10", path, rules)
    ratio = task_input.get("aspect_ratio")
    if isinstance(outcome, Problem) and isinstance(ratio, str) and _OTHER_RATIO.fullmatch(ratio):
        return outcome if rules.accepts_general is False else OPEN  # SUB-19
    return outcome


def _num_images(task_input: Members, rules: Rules) -> Outcome:
    outcome = _one_of(task_input, "num_images", (1, 2, 4), "SUB-11", "input.num_images", rules)
    count = task_input.get("num_images")
    return OPEN if isinstance(count, float) and count in {1.0, 2.0, 4.0} else outcome


def _image_urls(task_input: Members, rules: Rules) -> Outcome:
    path = "input.image_urls"
    if "image_urls" not in task_input:
        return None
    urls = task_input["image_urls"]
    if urls is None:
        return _null(rules)
    if not isinstance(urls, list):
        return Problem("SUB-12", path)
    if len(urls) > _REFERENCES_MAX or not all(isinstance(url, str) for url in urls):
        return Problem("SUB-12", path)
    is_usual = all(url.startswith(("https://", "http://")) for url in urls)
    is_data = all(url.startswith(("https://", "http://", "data:")) for url in urls)
    return None if is_usual or (is_data and rules.has_choices) else OPEN


_BODY_MEMBERS: Final = frozenset({"request_type", "callback_url", "provider", "input"})
_INPUT_MEMBERS: Final = frozenset({"mode", "prompt", "aspect_ratio", "num_images", "image_urls"})
_BODY_RULES: Final[tuple[Callable[[Members, Rules], Outcome], ...]] = (
    _request_type,
    _callback_url,
    _provider,
    _input,
)
_INPUT_RULES: Final[tuple[Callable[[Members, Rules], Outcome], ...]] = (
    _prompt,
    _mode,
    _aspect_ratio,
    _num_images,
    _image_urls,
)
