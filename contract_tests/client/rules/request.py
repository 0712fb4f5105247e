"""C-REQ: what a client sends."""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final

from contract_tests.client.evidence import Evidence
from contract_tests.client.exchange import Exchange
from contract_tests.client.rule import Axis, Level, Look, Rule

_TOP: Final = ("request_type", "callback_url", "provider", "input")
_INPUT: Final = ("mode", "prompt", "aspect_ratio", "num_images", "image_urls")
_KNOWN_AS: Final = {  # what other services, and older pages, call them
    "webhook": "callback_url", "webhook_url": "callback_url", "webhookurl": "callback_url",
    "callback": "callback_url", "callbackurl": "callback_url", "nvariants": "num_images",
    "n": "num_images", "numimages": "num_images", "size": "aspect_ratio", "ratio": "aspect_ratio",
    "aspectratio": "aspect_ratio", "image": "image_urls", "images": "image_urls",
    "imageurls": "image_urls", "image_url": "image_urls", "type": "request_type",
    "requesttype": "request_type", "isenhance": "",
}  # fmt: skip
_GENERAL_MODES: Final = frozenset({"text-to-image", "image-to-image"})
_SIGN: Final = re.compile(r"\W")  # ids begin without one, so that they can be recognised
_API: Final = ("submit", "status", "balance")


def _bearer(evidence: Evidence) -> Iterator[Look]:
    if evidence.unauthorized:
        count = evidence.unauthorized
        yield Look(holds=False, seen=f"{count} requests came without a key that can be used")
    for each in evidence.of(*_API):
        scheme = (each.header("authorization") or "").partition(" ")[0]
        yield Look(
            holds=scheme == "Bearer",
            seen=f"{scheme or 'no'} Authorization header",
            event=each.number,
            is_minor=scheme.lower() == "bearer",
        )


def _content_type(evidence: Evidence) -> Iterator[Look]:
    for each in evidence.of("submit"):
        seen = f"Content-Type: {each.header('content-type')}"
        yield Look(holds=_says_json(each), seen=seen, event=each.number)


def _says_json(submit: Exchange) -> bool:
    kind = (submit.header("content-type") or "").partition(";")[0]
    return kind.strip().lower() == "application/json"


def _body(evidence: Evidence) -> Iterator[Look]:
    for each in evidence.of("submit"):
        if each.is_refused_on_purpose or (each.sent is not None and not _says_json(each)):
            continue  # what the header is refused for says nothing of the body
        is_refused = each.status in {400, 413, 415, 422} and each.sent is not None
        seen = f"answered {each.status}"
        if each.sent is None:
            seen = "a body that is no JSON"
        elif is_refused:
            detail = each.told.get("error") or each.answer_body[:200]
            seen = f"refused with {each.status}: {detail}"
        yield Look(holds=each.sent is not None and not is_refused, seen=seen, event=each.number)


def _unknown_members(evidence: Evidence) -> Iterator[Look]:
    for each in evidence.of("submit"):
        if isinstance(each.sent, dict):
            strange = [*_strange(each.sent, _TOP, ""), *_strange(_input_of(each), _INPUT, "input.")]
            seen = "; ".join(strange) or "known members only"
            yield Look(holds=not strange, seen=seen, event=each.number)


def _strange(members: Mapping[str, Any], known: tuple[str, ...], path: str) -> Iterator[str]:
    for name in members:
        if name in known:
            continue
        better = _better(name)
        yield f"{path}{name} is unknown" + (f"; did you mean {better}?" if better else "")


def _better(name: str) -> str:
    """Return the name that the contract has for it, with its place; empty when there is none."""
    plain = name.lower().replace("-", "_")
    known = {*_TOP, *_INPUT}
    found = plain if plain in known else _KNOWN_AS.get(plain.replace("_", ""), _KNOWN_AS.get(plain))
    if found is None:
        near = get_close_matches(plain, known, n=1, cutoff=0.7)
        found = near[0] if near else ""
    return f"input.{found}" if found in _INPUT else found


def _other_pages(evidence: Evidence) -> Iterator[Look]:
    for each in evidence.of("submit"):
        mode = _input_of(each).get("mode")
        if isinstance(each.sent, dict):
            holds = not (isinstance(mode, str) and mode in _GENERAL_MODES)
            yield Look(holds=holds, seen=f"input.mode is {mode!r}", event=each.number)


def _encoded(evidence: Evidence) -> Iterator[Look]:
    special = [task for task in evidence.tasks if not task.id.replace("_", "").isalnum()]
    known = {task.id for task in evidence.tasks}
    beginnings = tuple(_SIGN.split(task.id)[0] for task in special)
    for each in evidence.of("status") if special else ():
        if each.is_refused_on_purpose or not (each.asked_id or "").startswith(beginnings):
            continue  # another id, however it is written, is another matter
        yield Look(
            holds=each.asked_id in known,
            seen=f"GET {each.path}",
            event=each.number,
        )


def _user_agent(evidence: Evidence) -> Iterator[Look]:
    for each in evidence.of(*_API):
        agent = each.header("user-agent")
        yield Look(holds=bool(agent), seen=f"User-Agent: {agent}", event=each.number)


def _input_of(submit: Exchange) -> Mapping[str, Any]:
    found = submit.sent.get("input") if isinstance(submit.sent, dict) else None
    return found if isinstance(found, dict) else {}


RULES: Final = (
    Rule(
        id="C-REQ-001",
        title="every request carries the key as Authorization: Bearer",
        clauses=("AUTH-1", "AUTH-2", "AUTH-3"),
        axis=Axis.MANNERS,
        level=Level.MUST,
        event="a request to the provider",
        advice="Send the header 'Authorization: Bearer <key>' with every submit, status and "
        "balance request.",
        look=_bearer,
    ),
    Rule(
        id="C-REQ-002",
        title="a submit says Content-Type: application/json",
        clauses=("SUB-2",),
        axis=Axis.MANNERS,
        level=Level.MUST,
        event="a submit",
        advice="Send 'Content-Type: application/json' with the body of generateTask.",
        look=_content_type,
    ),
    Rule(
        id="C-REQ-003",
        title="the body of a submit is one that the provider takes",
        clauses=("SUB-14", "SUB-2", "SUB-7"),
        axis=Axis.OUTCOME,
        level=Level.MUST,
        event="a submit that was not refused on purpose",
        advice="Send a JSON object with input.prompt, and only values that the contract lists; "
        "the refusal names the member.",
        look=_body,
    ),
    Rule(
        id="C-REQ-004",
        title="a submit has only members that the contract knows",
        clauses=("SUB-15", "SUB-16"),
        axis=Axis.MANNERS,
        level=Level.CHOICE,
        event="a submit with a JSON object",
        advice="Rename or drop the members that are named: the provider ignores them, so they do "
        "nothing.",
        look=_unknown_members,
    ),
    Rule(
        id="C-REQ-005",
        title="input.mode is what the model's own page says",
        clauses=("SUB-8",),
        axis=Axis.MANNERS,
        level=Level.CHOICE,
        event="a submit with a JSON object",
        advice="Send input.mode 'gpt-image-1'; the general names stand on another page only.",
        look=_other_pages,
    ),
    Rule(
        id="C-REQ-006",
        title="taskId is percent-encoded in the query",
        clauses=("STA-1",),
        axis=Axis.MANNERS,
        level=Level.MUST,
        event="a status request for a task whose id has signs that a query must escape",
        advice="Build the query with your library's parameters (params=, URLSearchParams) instead "
        "of pasting the id into the address, and escape it once.",
        look=_encoded,
        is_of_polling=True,
    ),
    Rule(
        id="C-REQ-007",
        title="requests say who sends them in User-Agent",
        clauses=("ENV-4",),
        axis=Axis.MANNERS,
        level=Level.CHOICE,
        event="a request to the provider",
        advice="Send a User-Agent with your program's name and version.",
        look=_user_agent,
    ),
)
