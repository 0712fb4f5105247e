"""C-REQ: the requests of a client."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from contract_tests.client.evidence import Evidence
from contract_tests.client.records import API_OPERATIONS, HttpExchange, Trait
from contract_tests.client.rule import Axis, Level, Observation, Rule
from contract_tests.client.rules.member_names import GENERAL_RATIOS, unknown_members
from contract_tests.contract.text import count

_GENERAL_MODES: Final = frozenset({"text-to-image", "image-to-image"})
_RESERVED: Final = re.compile(r"\W")
_REJECTED: Final = frozenset({400, 413, 415, 422})
_ACCEPTED: Final = 200
_MAX_DETAIL: Final = 200  # characters
_SHOWN_PROMPT: Final = 20  # characters


def _check_authorization(evidence: Evidence) -> Iterator[Observation]:
    if evidence.unauthorized:
        requests = count(evidence.unauthorized, "request")
        # Nothing else than a usable key tells the cases that run at the same time apart.
        where = "in this case or in one that ran at the same time"
        yield Observation(holds=False, seen=f"{requests} without a usable API key, {where}")
    for each in evidence.of(*API_OPERATIONS):
        scheme = (each.header("authorization") or "").partition(" ")[0]
        yield Observation(
            holds=scheme == "Bearer",
            seen=f"Authorization scheme {scheme}" if scheme else "no Authorization header",
            event=each.number,
            is_minor=scheme.lower() == "bearer",
        )


def _check_content_type(evidence: Evidence) -> Iterator[Observation]:
    for each in evidence.of("submit"):
        seen = f"Content-Type: {each.header('content-type')}"
        yield Observation(holds=_declares_json(each), seen=seen, event=each.number)


def _declares_json(submit: HttpExchange) -> bool:
    media_type = (submit.header("content-type") or "").partition(";")[0]
    return media_type.strip().lower() == "application/json"


def _check_body(evidence: Evidence) -> Iterator[Observation]:
    for each in evidence.of("submit"):
        is_json = each.request_json is not None
        # A rejection because of the Content-Type says nothing about the body.
        if each.is_injected_rejection or (is_json and not _declares_json(each)):
            continue
        is_rejected = each.status in _REJECTED
        seen = f"status {each.status}"
        if not is_json:
            seen = "the body is not JSON"
        elif is_rejected:
            detail = each.payload.get("error") or each.response_body[:_MAX_DETAIL]
            seen = f"rejected with {each.status}: {detail}"
        is_general = str(_input_of(each).get("aspect_ratio")) in GENERAL_RATIOS
        if is_rejected and is_general:
            seen += "; the value is documented for other models"
        yield Observation(
            holds=is_json and not is_rejected,
            seen=seen,
            event=each.number,
            is_minor=is_general,  # SUB-19: the pages disagree.
        )


def _check_members(evidence: Evidence) -> Iterator[Observation]:
    for each in evidence.of("submit"):
        if isinstance(each.request_json, dict):
            unknown = list(unknown_members(each.request_json, _input_of(each)))
            ratio = _input_of(each).get("aspect_ratio")
            if each.status == _ACCEPTED and isinstance(ratio, str) and ratio in GENERAL_RATIOS:
                unknown.append(f"input.aspect_ratio {ratio!r} is documented for other models")
            seen = ", ".join(unknown) or "only known members"
            yield Observation(holds=not unknown, seen=seen, event=each.number)


def _check_mode(evidence: Evidence) -> Iterator[Observation]:
    for each in evidence.of("submit"):
        mode = _input_of(each).get("mode")
        if isinstance(each.request_json, dict):
            holds = not (isinstance(mode, str) and mode in _GENERAL_MODES)
            page = "" if holds else ", which is documented for other models"
            yield Observation(holds=holds, seen=f"input.mode is {mode!r}{page}", event=each.number)


def _check_request_type(evidence: Evidence) -> Iterator[Observation]:
    for each in evidence.of("submit"):
        body = each.request_json
        if not isinstance(body, dict) or not body.get("callback_url"):
            continue
        request_type = body.get("request_type")
        polls = len(evidence.polls(each.task_id)) if each.task_id else 0
        yield Observation(
            holds=request_type == "callback",
            seen=f"callback_url with request_type {request_type or 'async'!r}, and"
            f" {count(polls, 'status request')}",
            event=each.number,
            is_minor=bool(polls),
        )


def _check_prompt(evidence: Evidence) -> Iterator[Observation]:
    if evidence.prompt is None:
        return
    for each in evidence.of("submit"):
        sent = _input_of(each).get("prompt")
        if not isinstance(sent, str):
            continue
        holds = evidence.prompt in sent  # A client may add a style of its own.
        seen = "the prompt is unchanged" if holds else _difference(evidence.prompt, sent)
        yield Observation(holds=holds, seen=seen, event=each.number)


def _difference(prompt: str, sent: str) -> str:
    """Return where the prompt that was sent begins to differ from the one that was given."""
    pairs = enumerate(zip(prompt, sent, strict=False))
    at = next((at for at, (a, b) in pairs if a != b), min(len(prompt), len(sent)))
    given, found = (text[at : at + _SHOWN_PROMPT] or "(end)" for text in (prompt, sent))
    return (
        f"{len(sent)} of {len(prompt)} characters; from character {at + 1} on, {found!r} was sent"
        f" instead of {given!r}"
    )


def _check_status_method(evidence: Evidence) -> Iterator[Observation]:
    for each in evidence.of("status"):
        yield Observation(
            holds=each.method == "GET",
            seen=f"{each.method} {each.resource_path}: {each.status}",
            event=each.number,
        )


def _check_encoding(evidence: Evidence) -> Iterator[Observation]:
    known = {task.id for task in evidence.tasks}
    special = [task_id for task_id in known if not task_id.replace("_", "").isalnum()]
    # However a client damages such an id, the part before the first reserved character survives.
    prefixes = tuple(_RESERVED.split(task_id)[0] for task_id in special)
    for each in evidence.of("status") if special else ():
        if each.is_injected_rejection or not (each.requested_task_id or "").startswith(prefixes):
            continue
        yield Observation(
            holds=each.requested_task_id in known, seen=f"GET {each.path}", event=each.number
        )


def _check_user_agent(evidence: Evidence) -> Iterator[Observation]:
    for each in evidence.of(*API_OPERATIONS):
        agent = each.header("user-agent")
        seen = f"User-Agent: {agent}" if agent else "no User-Agent header"
        yield Observation(holds=bool(agent), seen=seen, event=each.number)


def _input_of(submit: HttpExchange) -> Mapping[str, Any]:
    found = submit.request_json.get("input") if isinstance(submit.request_json, dict) else None
    return found if isinstance(found, dict) else {}


RULES: Final = (
    Rule(
        id="C-REQ-001",
        title="Must send the API key as Authorization: Bearer with every request",
        clauses=("AUTH-1", "AUTH-2", "AUTH-3"),
        axis=Axis.MANNERS,
        level=Level.MUST,
        event="request to the provider",
        advice="Send the header 'Authorization: Bearer <key>' with every submit, status and "
        "balance request.",
        check=_check_authorization,
    ),
    Rule(
        id="C-REQ-002",
        title="Must send Content-Type: application/json with a submit",
        clauses=("SUB-2",),
        axis=Axis.MANNERS,
        level=Level.MUST,
        event="submit",
        advice="Send the header 'Content-Type: application/json' with every submit.",
        check=_check_content_type,
    ),
    Rule(
        id="C-REQ-003",
        title="Must send a submit body that the provider accepts",
        clauses=("SUB-14", "SUB-2", "SUB-7"),
        axis=Axis.OUTCOME,
        level=Level.MUST,
        event="submit that the mock did not reject on purpose",
        advice="Send a JSON object with input.prompt, and only values that the contract lists. "
        "The error message names the invalid field.",
        check=_check_body,
    ),
    Rule(
        id="C-REQ-004",
        title="Should send only members that the contract defines",
        clauses=("SUB-15", "SUB-16", "SUB-19"),
        axis=Axis.MANNERS,
        level=Level.CHOICE,
        event="submit with a JSON object as its body",
        advice="Rename or remove unknown members. Send members that are documented for other "
        "models only to those models: gpt-image-1 may ignore them.",
        check=_check_members,
    ),
    Rule(
        id="C-REQ-005",
        title="Should send the input.mode that the model page defines",
        clauses=("SUB-8",),
        axis=Axis.MANNERS,
        level=Level.CHOICE,
        event="submit with a JSON object as its body",
        advice="For gpt-image-1, send input.mode 'gpt-image-1'. The general parameters page "
        "documents 'text-to-image' and 'image-to-image' for all image models.",
        check=_check_mode,
    ),
    Rule(
        id="C-REQ-006",
        title="Must percent-encode taskId in the query",
        clauses=("STA-1",),
        axis=Axis.MANNERS,
        level=Level.MUST,
        event="status request for a task id with reserved characters",
        advice="Build the query with the parameters of your HTTP library (params=, "
        "URLSearchParams) instead of concatenating strings. Encode the id once.",
        check=_check_encoding,
        is_about_polling=True,
    ),
    Rule(
        id="C-REQ-007",
        title="Should send a User-Agent header",
        clauses=("ENV-4",),
        axis=Axis.MANNERS,
        level=Level.CHOICE,
        event="request to the provider",
        advice="Send a User-Agent header with the name and version of your program.",
        check=_check_user_agent,
    ),
    Rule(
        id="C-REQ-008",
        title="Must send request_type 'callback' with callback_url",
        clauses=("SUB-3", "SUB-4"),
        axis=Axis.OUTCOME,
        level=Level.MUST,
        event="submit with callback_url",
        advice="Send request_type 'callback'. The default is 'async', for which the provider sends "
        "no callback.",
        check=_check_request_type,
        is_conditional=True,
    ),
    Rule(
        id="C-REQ-009",
        title="Must send the prompt unchanged",
        clauses=("SUB-9",),
        axis=Axis.OUTCOME,
        level=Level.MUST,
        event="submit with a prompt, of a client that was given one",
        advice="Send the prompt as it was given, as UTF-8. It may have 10,000 characters.",
        check=_check_prompt,
        is_conditional=True,
        not_for=frozenset({Trait.AGENT}),
    ),
    Rule(
        id="C-REQ-010",
        title="Must request the status with GET",
        clauses=("STA-1",),
        axis=Axis.OUTCOME,
        level=Level.MUST,
        event="status request",
        advice="Send a GET request with taskId in the query, and no body.",
        check=_check_status_method,
        is_about_polling=True,
    ),
)
