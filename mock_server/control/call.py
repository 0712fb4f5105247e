"""Declare a call of the control plane once: its route and its OpenAPI entry are derived.

The signature of the handler is part of the declaration. A handler can have these parameters:
`sandbox` (the caller's), `sandbox_id` (the same, even if the sandbox is damaged), `query` (a struct
whose fields are the query parameters), `body` (decoded and validated as its type), `request`, and
the parameters of the path. It returns a struct (sent as JSON), None (204), or a Response.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from functools import cached_property, partial
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mock_server.control.authentication import Authenticator
from mock_server.control.decoding import read
from mock_server.control.errors import ControlError, unavailable
from mock_server.control.long_list import encoded
from mock_server.control.query import check_names, read_query
from mock_server.domain.errors import SandboxMissing, StoreUnavailable
from mock_server.domain.store import Store
from mock_server.web.persistence import persisted
from mock_server.web.redaction import Redactor

JSON = "application/json"

Caller = Literal["anyone", "key", "admin"]


@dataclass(frozen=True)
class Call:
    """One method of one path."""

    method: str
    path: str
    handler: Callable[..., Awaitable[object]]
    summary: str = ""  # Empty for pages and files of the dashboard: OpenAPI omits them.
    _: KW_ONLY
    caller: Caller = "key"
    rejects: tuple[int, ...] = ()  # Statuses in addition to those of every call.
    timeout_answer: Any = None  # Type of the body of a 408.
    body: Any = None  # Type of the body, if the handler reads it from the request.
    answer: Any = None  # Type of the response, if the handler returns a Response.
    media_type: str = JSON
    other_media_types: tuple[str, ...] = ()  # Responses in these are text.
    events: Mapping[str, Any] = field(default_factory=dict)  # Types of server-sent events.

    def __post_init__(self) -> None:
        """Raise TypeError at start if the handler does not fit the declaration."""
        offered = {"request", "query", "body", *self.path_parameters}
        if self.caller == "key":
            offered |= {"sandbox", "sandbox_id"}
        if unknown := self.needs.keys() - offered:
            raise TypeError(f"{self.method} {self.path}: no argument for {sorted(unknown)}")
        if self.summary and Response in self.answer_types:
            raise TypeError(f"{self.method} {self.path}: declare the type of the response")

    @cached_property
    def needs(self) -> dict[str, Any]:
        """The parameters of the handler: types by name."""
        hints = get_type_hints(self.handler, include_extras=True)
        return {name: kind for name, kind in hints.items() if name != "return"}

    @property
    def query_type(self) -> type[msgspec.Struct] | None:
        return self.needs.get("query")

    @property
    def body_type(self) -> Any:
        return self.body or self.needs.get("body")

    @cached_property
    def needs_body(self) -> bool:
        """Whether an empty body is rejected because a member has no default."""
        kind = self.body_type
        if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
            return kind is not None
        return any(each.required for each in msgspec.structs.fields(kind))

    @cached_property
    def answer_types(self) -> tuple[Any, ...]:
        """The types of a successful response; empty for 204."""
        kind = self.answer or get_type_hints(self.handler, include_extras=True)["return"]
        each = get_args(kind) if get_origin(kind) in {Union, UnionType} else (kind,)
        return tuple(one for one in each if one is not NoneType)

    @property
    def path_parameters(self) -> list[str]:
        return re.findall(r"{(\w+)", self.path)


class CallRoute(Route):
    """Serves the calls of one path."""

    def __init__(
        self, path: str, calls: Iterable[Call], authenticator: Authenticator, store: Store
    ) -> None:
        self.calls = {call.method: call for call in calls}
        self._authenticator = authenticator
        self._store = store
        super().__init__(path, self._serve, methods=list(self.calls))

    async def _serve(self, request: Request) -> Response:
        """Return the response to a call, once its commands are persistent."""
        call = self.calls["GET" if request.method == "HEAD" else request.method]
        try:
            response = await self._response_to(call, request)
            if call.caller != "anyone":  # Probes are answered whatever the store does.
                await persisted(self._store)
        except StoreUnavailable as error:
            self._store.metrics.count_unavailable(None)
            return unavailable(error)
        return response

    async def _response_to(self, call: Call, request: Request) -> Response:
        try:
            answer = await self._handled(call, request)
        except ControlError as error:
            return await self._encoded(request, error.answer(), error.status)
        if isinstance(answer, Response):
            return answer
        return Response(status_code=204) if answer is None else await self._encoded(request, answer)

    async def _handled(self, call: Call, request: Request) -> object:
        """Return what the handler returns.

        If another process removes the sandbox meanwhile, the call is repeated for the new one.
        """
        arguments = await self._arguments(call, request)
        while True:
            try:
                return await call.handler(**arguments)
            except SandboxMissing:
                if call.caller != "key":
                    raise
                arguments |= await self._sandbox(call, request)

    async def _arguments(self, call: Call, request: Request) -> dict[str, object]:
        """Return the arguments of the handler. Raise ControlError for an invalid request."""
        check_names(request.query_params, call.query_type)
        available: dict[str, object] = {"request": request, **request.path_params}
        if call.caller == "key":
            available |= await self._sandbox(call, request)
        elif call.caller == "admin":
            self._authenticator.require_admin(request)
        if call.query_type is not None:
            available["query"] = read_query(request.query_params, call.query_type)
        if "body" in call.needs:
            available["body"] = await read(request, call.needs["body"])
            if call.caller == "key":  # The sandbox may have been removed while the body arrived.
                available |= await self._sandbox(call, request)
        return {name: available[name] for name in call.needs}

    async def _sandbox(self, call: Call, request: Request) -> dict[str, object]:
        """Return the argument for the caller's sandbox, if the handler has one."""
        if "sandbox_id" in call.needs:
            return {"sandbox_id": await self._authenticator.sandbox_id(request)}
        sandbox = await self._authenticator.sandbox(request)
        return {"sandbox": sandbox} if "sandbox" in call.needs else {}

    async def _encoded(self, request: Request, answer: object, status: int = 200) -> Response:
        """Return a response as JSON in which the API key of the caller is redacted."""
        sandbox_id: str | None = getattr(request.state, "sandbox_id", None)
        redact: Callable[[bytes], bytes] = bytes
        if sandbox_id:
            redact = partial(self._authenticator.without_key, sandbox_id)
        elif status >= 400:  # Only errors quote the request of a caller without a sandbox.
            redact = Redactor.of_request(request.headers.raw).json
        return Response(await encoded(answer, redact), status, media_type=JSON)


def routes(calls: Iterable[Call], authenticator: Authenticator, store: Store) -> list[Route]:
    """Return the routes of all calls, one for each path."""
    by_path: dict[str, list[Call]] = {}
    for call in calls:
        by_path.setdefault(call.path, []).append(call)
    return [CallRoute(path, each, authenticator, store) for path, each in by_path.items()]
