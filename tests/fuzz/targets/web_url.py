"""Addresses that clients write: one that a submit accepts can be parsed for its callback."""

import json
from contextlib import suppress

from mock_server.catalogue_files import load_catalogue
from mock_server.domain.errors import InvalidRequest
from mock_server.domain.submission import SubmissionDecoder
from mock_server.runtime.web_url import parse_web_url
from mock_server.settings import Settings
from tests.fuzz.generators import filled
from tests.fuzz.target import Target

_MODEL = load_catalogue(Settings()).models["gpt-image-1"]
_DECODERS = [
    SubmissionDecoder(_MODEL, strict=strict, general_ratios=False) for strict in (False, True)
]
_LONGEST_REASON = 300


def _body(url: str) -> bytes:
    given = {"prompt": "a fox", "mode": "gpt-image-1"}
    return json.dumps(
        {"input": given, "request_type": "callback", "callback_url": url}, ensure_ascii=False
    ).encode()


def _handle(raw: bytes) -> None:
    url = raw.decode(errors="ignore")
    with suppress(InvalidRequest):
        _DECODERS[1].decode(_body(url))
    with suppress(ValueError):
        parse_web_url(url)


def _check(raw: bytes) -> None:
    url = raw.decode(errors="ignore")
    try:
        parse_web_url(url)
    except ValueError as error:
        assert 0 < len(str(error)) < _LONGEST_REASON, error
    for decoder in _DECODERS:
        with suppress(InvalidRequest):
            accepted = decoder.decode(_body(url)).callback_url
            assert accepted == url
            assert not {"\r", "\n", " ", "\0"} & set(url)


TARGET = Target(
    check=_check,
    handle=_handle,
    seeds=lambda: [
        b"http://127.0.0.1:9000/hook",
        b"https://user:password@app.test:8443/hook?x=1#y",
        b"http://[::1]:80/",
        b"http://0177.0.0.1/",
        b"http://xn--a/",
        "https://b\u00fccher.test/".encode(),
        b"http://a:65535",
        b"http://[fe80::1%25eth0]/",
    ],
    words=(
        b"http://",
        b"https://",
        b"xn--",
        b"[::1]",
        b"@",
        b":0",
        b"%00",
        b"%",
        "\u3002".encode(),
        "\u00df".encode(),
        b"0x7f",
        b"127.1",
        b"\\",
    ),
    worst={
        "a host": filled(b"http://", b"a"),
        "labels": filled(b"http://", b"a."),
        "a label that is not ASCII": filled(b"http://", "\u00e9".encode()),
        "labels that are not ASCII": filled(b"http://", "\u00e9.".encode()),
        "marks": filled(b"http://a", "\u0316\u0301".encode()),
        "a user": filled(b"http://", b"a:", b"@a"),
        "at signs": filled(b"http://", b"@"),
        "a path": filled(b"http://a", b"/.."),
        "escapes": filled(b"http://a/", b"%"),
        "digits": filled(b"http://", b"1"),
        "white space": filled(b"", b" ", b"http://a"),
        "brackets": filled(b"http://[", b":"),
    },
)
