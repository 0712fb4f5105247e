"""Check the TLS files in an address of Redis, before redis-py fails with each connection."""

import ssl
from collections.abc import Callable

from mock_server.domain.errors import InvalidValue, quoted, reason_of
from mock_server.store.redis.address import RedisAddress

_WHERE = "--store"


def check_tls_files(address: RedisAddress) -> None:
    """Raise InvalidValue if a file cannot be read, or does not contain what it should."""
    files = address.tls_files
    ca, cert, key = (files.get(name) for name in ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca is not None:
        _check("ca", ca, lambda: context.load_verify_locations(ca))
    if cert is not None:
        _check("cert", cert, lambda: context.load_cert_chain(cert, key, password=""))
    elif key is not None:
        raise InvalidValue(_WHERE, "the option key in the address needs the option cert")


def _check(name: str, path: str, load: Callable[[], None]) -> None:
    try:
        load()
    except ssl.SSLError as error:
        what = "CA certificates" if name == "ca" else "a certificate and its key"
        raise InvalidValue(
            _WHERE, f"the option {name} must be a PEM file with {what} (got {quoted(path)})"
        ) from error
    except OSError as error:
        raise InvalidValue(
            _WHERE, f"the files of the option {name} cannot be read: {reason_of(error)}"
        ) from error
