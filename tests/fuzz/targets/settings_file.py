"""The configuration file: settings, or an error that names a key of the file."""

import tempfile
from contextlib import suppress
from pathlib import Path

from mock_server.catalogue_files import load_catalogue
from mock_server.domain.errors import InvalidValue
from mock_server.profile_files import chosen_rules
from mock_server.settings import Settings
from mock_server.settings.sources import load_settings
from tests.fuzz.generators import filled, numbered
from tests.fuzz.target import LONGEST_ERROR, Target

_CATALOGUE = load_catalogue(Settings())
_FOLDER = tempfile.TemporaryDirectory(prefix="fuzz-settings-")
_FILE = Path(_FOLDER.name) / "mock.toml"


def _loaded(raw: bytes) -> Settings:
    _FILE.write_bytes(raw)
    settings = load_settings({}, {}, _FILE)
    chosen_rules(settings, _CATALOGUE)
    return settings


def _handle(raw: bytes) -> None:
    with suppress(InvalidValue):
        _loaded(raw)


def _check(raw: bytes) -> None:
    try:
        settings = _loaded(raw)
    except InvalidValue as error:
        text = str(error)
        assert text.startswith((str(_FILE), "rules[")), text
        assert len(text.replace(str(_FILE), "")) < LONGEST_ERROR, "the error repeats the file"
        key = error.path.removeprefix(f"{_FILE}").removeprefix(": ")
        if key and not error.path.startswith("rules["):
            assert key.encode()[:20] in raw or b"\\" in raw, text
    else:
        assert isinstance(settings.rules, tuple)


def _seeds() -> list[bytes]:
    profiles = Path(__file__).parents[3] / "fixtures" / "profiles"
    return [
        b'port = 8080\nhost = "127.0.0.1"\nseed = 7\nclock = "manual"\nbalance = 1.5\n',
        b'api-key = ["sk-1"]\ngeneration_time = "2s"\nrate-limit = 5\nstrict = true\n',
        b'[[rules]]\nmatch = {operation = "status", nth = 3}\napply = {wire = "close"}\n',
        b'[[rules]]\n[rules.match]\nprompt = "x"\n[rules.apply.refuse]\nstatus = 503\n',
        *(path.read_bytes() for path in sorted(profiles.glob("*.toml"))),
    ]


TARGET = Target(
    check=_check,
    handle=_handle,
    seeds=_seeds,
    words=(
        b"[[rules]]",
        b"port",
        b"api-key",
        b"rate_limit",
        b"balance",
        b"generation_time",
        b" = ",
        b'"""',
        b"'''",
        b"1979-05-27T07:32:00Z",
        b"inf",
        b"nan",
        b"0x",
        b"true",
        b"seed",
    ),
    # The standard library reads TOML in Python, which is slow. Whoever starts the server writes
    # this file; no TOML comes from the network, so it delays only the start.
    budget_ms=1000,
    worst={
        "a long integer": filled(b"port = ", b"9"),
        "a long fraction": filled(b"balance = 0.", b"9"),
        "a long hexadecimal integer": filled(b"port = 0x", b"f"),
        "nested lists": filled(b"port = ", b"["),
        "nested tables": filled(b"port = ", b"{a="),
        "tables": numbered(b"", b"[a%d]\n", b""),
        "keys": numbered(b"", b"a%d = %d\n", b""),
        "dotted tables": numbered(b"", b"[a.b%d.c]\nd = 1\n", b""),
        "rules": filled(b"", b'[[rules]]\napply = {wire = "close"}\n', most=1_000),
        "a long string": filled(b'host = "', b"a", b'"'),
        "escapes": filled(b'host = "', b"\\u0301", b'"'),
        "a comment": filled(b"#", b"a"),
        "line feeds": filled(b"", b"\n"),
        "no UTF-8": filled(b'host = "', b"\xc3", b'"'),
    },
)
