"""Say in one sentence why Redis cannot be used, and what to do. No sentence has a password."""

from ssl import SSLCertVerificationError, SSLError

from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
)
from redis.exceptions import TimeoutError as RedisTimeoutError

from mock_server.domain.errors import reason_of
from mock_server.store.redis.address import RedisAddress
from mock_server.store.redis.client import TIMEOUT_S

_WRONG_HOST_CODES = {62, 64}  # Of OpenSSL: the certificate is valid for another name or address.


def place(address: RedisAddress) -> str:
    return f"Redis at {address}"


def problem_of(error: Exception, address: RedisAddress, *, was_available: bool) -> str:
    """Return the sentence about an error of redis-py or of the system.

    If Redis `was_available` before, the address is right, so there is no advice about it.
    """
    causes = _causes(error)
    problem = f"{place(address)} {_sentence(causes)}"
    advice = None if was_available else _advice(causes[-1], address)
    return problem if advice is None else f"{problem}; {advice}"


def is_unreachable(problem: str) -> bool:
    return f" {_UNREACHABLE}" in problem


def _sentence(causes: list[Exception]) -> str:
    last = causes[-1]
    if isinstance(last, SSLCertVerificationError):
        return _certificate(last)
    for cause in causes:
        text = str(cause)
        by_class = (said for kind, said in _SENTENCES.items() if isinstance(cause, kind))
        said = _SENTENCES_OF_CODES.get(text.partition(" ")[0]) or next(by_class, None)
        if said is not None:
            return said.format(text=text)
    if str(last).startswith(_CLOSED):
        return f"{_UNREACHABLE}: the connection was closed"
    has_tls = any(isinstance(cause, SSLError) for cause in causes)
    if isinstance(last, ConnectionRefusedError):  # asyncio writes the address in another form.
        reason = "connection refused"
    else:  # After a colon, redis-py names its own objects.
        reason = reason_of(last).partition(" : <")[0]
    return f"{_UNREACHABLE}{' with TLS' if has_tls else ''}: {reason}"


def _certificate(error: SSLCertVerificationError) -> str:
    problem = error.verify_message.rstrip(".")
    if error.verify_code in _WRONG_HOST_CODES:
        return f"has a certificate for another host ({problem}); use a host that it names"
    return f"has a certificate that cannot be verified ({problem}); name its CA with ?ca=FILE"


def _advice(last: Exception, address: RedisAddress) -> str | None:
    """Return what may be wrong if Redis breaks or ignores the first connection."""
    is_broken = isinstance(last, ConnectionResetError) or str(last).startswith(_CLOSED)
    if not address.has_tls:
        return "if it needs TLS, use rediss:// in --store" if is_broken else None
    if isinstance(last, TimeoutError | RedisTimeoutError):
        return "if it has no TLS, use redis:// in --store"
    needs_own = is_broken or "CERTIFICATE_REQUIRED" in str(last)
    if needs_own and "ssl_certfile" not in address.tls_files:
        return "if it needs a certificate of the client, set it with ?cert=FILE&key=FILE"
    return None


def _causes(error: BaseException) -> list[Exception]:
    """Return an error and what has caused it; redis-py wraps errors of new connections."""
    found: list[Exception] = []
    while isinstance(error, Exception):
        found.append(error)
        cause = error.__cause__ or error.__context__
        if cause is None:
            break
        error = cause
    return found


_CLOSED = ("Connection closed", "Connection has data")  # The texts of redis-py for this.
_UNREACHABLE = "cannot be reached"
_WRONG_PASSWORD = "rejects the user or the password; check --store"  # noqa: S105  # A message.
_NO_MEMORY = "is out of memory; increase `maxmemory` or remove sandboxes"
_NO_PERMISSION = "does not permit a command; give the ACL user more rights ({text})"
_SENTENCES: dict[type[Exception], str] = {
    OutOfMemoryError: _NO_MEMORY,
    AuthenticationError: _WRONG_PASSWORD,
    NoPermissionError: _NO_PERMISSION,
    ReadOnlyError: "is a read-only replica; use the address of the master",
    BusyLoadingError: "is still loading its data",
    RedisTimeoutError: f"did not respond within {TIMEOUT_S:g} s",
    ResponseError: "rejects a command: {text}",
}
_SENTENCES_OF_CODES = {
    "OOM": _NO_MEMORY,
    "NOAUTH": _WRONG_PASSWORD,
    "WRONGPASS": _WRONG_PASSWORD,
    "NOPERM": _NO_PERMISSION,
}
