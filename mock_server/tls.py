"""TLS for the server: read its certificate, or make one that lasts as long as the server."""

import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from mock_server.domain.errors import InvalidValue
from mock_server.settings import Settings
from mock_server.tls_context import ServerContext

_LOCAL_NAMES: Final = ("localhost", "127.0.0.1", "::1")
_ANY_ADDRESS: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104  # Nobody can connect by these.
_INSTALL: Final = "python -m pip install 'apixo-testkit[tls]'"


class Tls(msgspec.Struct, frozen=True):
    """What a server with TLS works with; `ca_file` is set for a certificate that was made."""

    context: ssl.SSLContext
    ca_file: Path | None = None


@contextmanager
def prepared_tls(settings: Settings) -> Iterator[Tls | None]:
    """Yield the TLS of a server, or None without it; a file that was made exists in the block.

    Raise InvalidValue if the settings contradict one another, if a file is no certificate or key,
    or if a package is missing.
    """
    files = {"--tls-cert": settings.tls_cert, "--tls-key": settings.tls_key}
    given = [name for name, file in files.items() if file is not None]
    if settings.tls and given:
        raise InvalidValue(
            given[0], "cannot be combined with --tls, which makes a certificate; leave one out"
        )
    if len(given) == 1:
        (absent,) = set(files) - set(given)
        raise InvalidValue(given[0], f"needs {absent} as well")
    if settings.tls:
        with tempfile.TemporaryDirectory(prefix="mock-server-") as directory:
            yield _make(settings, Path(directory))
    elif settings.tls_cert is not None and settings.tls_key is not None:
        yield Tls(_read(settings.tls_cert, settings.tls_key))
    else:
        yield None


def _make(settings: Settings, directory: Path) -> Tls:
    """Make an authority and a certificate; only the authority's certificate stays on the disk."""
    try:
        import trustme  # noqa: PLC0415  # Only --tls needs it.
    except ImportError as error:
        raise InvalidValue("--tls", f"trustme is not installed; run: {_INSTALL}") from error
    authority = trustme.CA(organization_name="mock-server")
    context = ServerContext(ssl.PROTOCOL_TLS_SERVER)
    for source, name in _names(settings).items():
        try:
            authority.issue_cert(name)
        except ValueError as error:
            raise InvalidValue(
                source, f"no certificate can be made for {name!r}; use --tls-cert and --tls-key"
            ) from error
    authority.issue_cert(*_LOCAL_NAMES, *_names(settings).values()).configure_cert(context)
    ca_file = directory / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    return Tls(context, ca_file)


def _names(settings: Settings) -> dict[str, str]:
    """Return the hosts under which clients may reach the server, by the setting they are from."""
    public = urlsplit(settings.public_url or "").hostname
    names = {"--host": settings.host, "--public-url": public or settings.host}
    return {
        source: name
        for source, name in names.items()
        if name not in _LOCAL_NAMES and name not in _ANY_ADDRESS
    }


def _read(cert: str, key: str) -> ssl.SSLContext:
    for source, file in (("--tls-cert", cert), ("--tls-key", key)):
        try:
            content = Path(file).read_bytes()
        except OSError as error:
            raise InvalidValue(source, f"{file}: {error.strerror}") from error
        if b"-----BEGIN " not in content:
            raise InvalidValue(source, f"{file}: is not a PEM file")
    context = ServerContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(cert, key, password=_reject_password)
    except _Encrypted as error:
        raise InvalidValue(
            "--tls-key", f"{key}: is encrypted; give a key without a password"
        ) from error
    except ssl.SSLError as error:
        raise InvalidValue(*_explain(error, cert, key)) from error
    return context


class _Encrypted(Exception):
    """The key has a password, and a server in the background has nobody to ask for it."""


def _reject_password() -> str:
    raise _Encrypted


def _explain(error: ssl.SSLError, cert: str, key: str) -> tuple[str, str]:
    """Return the setting and the problem with it."""
    if error.reason == "KEY_VALUES_MISMATCH":
        return "--tls-key", f"{key}: is not the key of the certificate {cert}"
    try:
        ssl.create_default_context().load_verify_locations(cert)
    except ssl.SSLError:
        return "--tls-cert", f"{cert}: contains no valid certificate in PEM format"
    return "--tls-key", f"{key}: contains no valid private key in PEM format"
