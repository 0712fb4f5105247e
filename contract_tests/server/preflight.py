"""One free request before a run: a server of another kind is reported once, not per case."""

import json
import os
import ssl
from typing import Final

import httpx
import msgspec

from contract_tests.contract.errors import UnreachableError, reason_of
from contract_tests.contract.provider import BALANCE, STATUS
from contract_tests.contract.redaction import Redaction

_TASK_ID: Final = "contract-tests-preflight"  # No task has this id, so the answer is free.
_BODY_MAX: Final = 64 * 1024  # bytes
_SHOWN: Final = 80  # characters
_NO_TLS: Final = frozenset(
    {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"}
)
_MEMBERS: Final = frozenset({"code", "message", "data"})  # ENV-1


class FreeAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a request that costs nothing."""

    path: str
    status: int
    media_type: str
    body: bytes

    @property
    def is_like_the_api(self) -> bool:
        """Whether the body could be an envelope; the cases judge it exactly."""
        try:
            envelope = json.loads(self.body)
        except (ValueError, RecursionError):
            return False
        return isinstance(envelope, dict) and bool(_MEMBERS & envelope.keys())

    @property
    def shown(self) -> str:
        """The answer in one line."""
        text = " ".join(self.body[: 4 * _SHOWN].decode("utf-8", "replace").split())
        body = f'"{text[:_SHOWN]}"' if text else "no body"
        return (
            f"GET {self.path}: HTTP {self.status}, {self.media_type or 'no Content-Type'}, {body}"
        )


def no_response(base_url: str, error: Exception) -> str:
    """Return one line: why the server does not respond, and what to do."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, OSError):
        cause = cause.__cause__ or cause.__context__
    if isinstance(cause, ssl.SSLError) and cause.reason in _NO_TLS:
        return f"{base_url} does not use TLS. Use http://, or check --base-url"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return (
            f"{base_url} has a certificate that is not valid: {cause.verify_message}."
            " Set SSL_CERT_FILE to the certificate file of its authority, or check --base-url"
        )
    reason = str(error)
    if isinstance(cause, OSError) and not isinstance(cause, ssl.SSLError):
        number = cause.errno or 0
        # Names that do not resolve have negative numbers, and texts of their own.
        reason = os.strerror(number) if number > 0 else reason_of(cause)
    return f"{base_url} does not respond: {reason}. Start it, or check --base-url"


def request_balance(http: httpx.Client, base_url: str, api_key: str) -> FreeAnswer:
    """Return the answer to a balance request. Raise UnreachableError if there is none."""
    return _request(http, base_url, BALANCE, api_key)


def require_api(http: httpx.Client, base_url: str, api_key: str, balance: FreeAnswer) -> None:
    """Raise UnreachableError unless the server answers like the API.

    A server without the balance endpoint gets a second free request, for an unknown task.
    """
    if balance.is_like_the_api:
        return
    status = _request(http, base_url, f"{STATUS}?taskId={_TASK_ID}", api_key)
    if not status.is_like_the_api:
        raise UnreachableError(
            f"{base_url} does not answer like the APIXO API."
            f" {Redaction([api_key]).text(balance.shown)}."
            " Check --base-url: it is the address of the server without /api/v1"
        )


def _request(http: httpx.Client, base_url: str, path: str, api_key: str) -> FreeAnswer:
    headers = {"Authorization": f"Bearer {api_key}"}
    body = bytearray()
    try:
        with http.stream("GET", base_url + path, headers=headers) as answer:
            for part in answer.iter_bytes():
                body += part
                if len(body) > _BODY_MAX:
                    break
    except httpx.HTTPError as error:
        raise UnreachableError(no_response(base_url, error)) from error
    return FreeAnswer(
        path=path.partition("?")[0],
        status=answer.status_code,
        media_type=answer.headers.get("content-type", ""),
        body=bytes(body),
    )
