"""C-KEY: how a client keeps its API key secret."""

from collections.abc import Iterator
from typing import Any, Final

from contract_tests.client.evidence import Evidence
from contract_tests.client.records import API_OPERATIONS, HttpExchange
from contract_tests.client.rule import Axis, Level, Observation, Rule

# The mock redacts the key wherever it occurs in a request. In headers with secrets, it redacts
# any value.
_REDACTED: Final = "[redacted]"
_SECRET_HEADERS: Final = frozenset({"authorization", "proxy-authorization", "cookie", "x-api-key"})


def _check_requests(evidence: Evidence) -> Iterator[Observation]:
    for each in evidence.of(*API_OPERATIONS, "callback"):
        in_address, elsewhere = _places_of_address(each), _other_places(each)
        places = in_address + elsewhere
        seen = f"the API key is in {' and '.join(places)}" if places else "the API key is not there"
        yield Observation(holds=not places, seen=seen, event=each.number, is_minor=not in_address)


def _places_of_address(exchange: HttpExchange) -> list[str]:
    places = []
    if _REDACTED in exchange.path:
        places.append("the address of the callback" if exchange.operation == "callback"
                      else "the address of the request")  # fmt: skip
    body = exchange.request_json
    if exchange.operation == "submit" and isinstance(body, dict):
        places += [
            f"the address {name}"
            for name, value in (("callback_url", body.get("callback_url")), *_images(body))
            if isinstance(value, str) and _REDACTED in value
        ]
    return places


def _images(body: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    task_input = body.get("input")
    urls = task_input.get("image_urls") if isinstance(task_input, dict) else None
    for number, url in enumerate(urls if isinstance(urls, list) else ()):
        yield f"input.image_urls[{number}]", url


def _other_places(exchange: HttpExchange) -> list[str]:
    if exchange.operation == "callback":  # Its headers and its body are the mock's.
        return []
    places = [
        f"the header {name}"
        for name, value in exchange.headers
        if _REDACTED in value and name.lower() not in _SECRET_HEADERS
    ]
    if _REDACTED in exchange.body and not _places_of_address(exchange):
        places.append("the body of the request")
    return places


def _check_output(evidence: Evidence) -> Iterator[Observation]:
    client_exit = evidence.client_exit
    if client_exit is None or not evidence.exchanges:
        return
    places = ["the output"] if client_exit.has_printed_key else []
    places += [f"the file {each.name}" for each in client_exit.files or () if each.has_key]
    where = " and ".join(places[:3])
    seen = f"the API key is in {where}" if places else "the API key is not in the output"
    yield Observation(holds=not places, seen=seen)


RULES: Final = (
    Rule(
        id="C-KEY-001",
        title="Must send its API key in the Authorization header only",
        clauses=("AUTH-1",),
        axis=Axis.MANNERS,
        level=Level.MUST,
        event="request to the provider",
        advice="Remove the API key from addresses, bodies and other headers. Addresses end up in "
        "the logs of servers and proxies.",
        check=_check_requests,
    ),
    Rule(
        id="C-KEY-002",
        title="Should not print or store its API key",
        clauses=("AUTH-1",),
        axis=Axis.MANNERS,
        level=Level.SHOULD,
        event="request of the client",
        advice="Remove the API key from log lines, error messages and files. Print at most its "
        "last four characters.",
        check=_check_output,
        needs_exit=True,
    ),
)
