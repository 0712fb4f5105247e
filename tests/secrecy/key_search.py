"""The forms in which an API key may be written, and a search for all of them in an output."""

import html
import json
import re
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import quote

PLAIN_KEY = "sk-live-4fQ9zT7mXw2LkB8n"
ODD_KEY = "sk-live/7Qx+9z\"Lm\\Kp'w=<&T>~3=="
KEYS = {"plain": PLAIN_KEY, "odd": ODD_KEY}

_URL_SAFE_TO_STANDARD = bytes.maketrans(b"-_", b"+/")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{16,}={0,2}")


def percent(character: str) -> str:
    return "".join(f"%{byte:02x}" for byte in character.encode())


WRITTEN: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "percent-encoded": percent,
    "percent-encoded in capitals": lambda character: percent(character).upper(),
    "percent-encoded twice": lambda character: percent(character).replace("%", "%25"),
    "percent-encoded three times": lambda character: percent(character).replace("%", "%2525"),
    "escaped": lambda character: f"\\u{ord(character):04x}",
    "escaped in capitals": lambda character: f"\\u{ord(character):04X}",
    "escaped twice": lambda character: f"\\\\u{ord(character):04x}",
    "escaped in JSON": lambda character: json.dumps(character)[1:-1],
}


def forms_of(key: str) -> dict[str, str]:
    """Return the key in all forms, by the name of the form."""
    encodings = {"standard": b64encode, "URL-safe": urlsafe_b64encode}
    return {
        **{name: "".join(map(write, key)) for name, write in WRITTEN.items()},
        "in an address": quote(key, safe=""),
        "in JSON in JSON": json.dumps(json.dumps(key)[1:-1])[1:-1],
        **{
            f"{name} base64 at {offset}": encode(b"-" * offset + key.encode()).decode()
            for name, encode in encodings.items()
            for offset in range(3)
        },
    }


def all_forms_of(key: str) -> str:
    """Return one text that contains the key in all forms."""
    return " ".join(forms_of(key).values())


def decoded(text: str) -> str:
    """Return a text after three rounds of decoding, as a reader could do them."""
    for _ in range(3):
        text = _decoded_once(text)
    return text


def _decoded_once(text: str) -> str:
    text = re.sub(r"\\+u00([0-9A-Fa-f]{2})", r"%\1", text).replace("\\", "")
    return re.sub(r"%([0-9A-Fa-f]{2})", lambda found: chr(int(found[1], 16)), text)


def cores(key: str) -> list[str]:
    """Return the base64 of the key without its ends, for each position of the key in a text."""
    return [
        encoded[4:-4]
        for before in range(3)
        for encode in (b64encode, urlsafe_b64encode)
        for encoded in [encode(bytes(before) + key.encode()).decode()]
    ]


def found_in(output: bytes, key: str) -> str | None:
    """Return the part of an output that contains a form of the key, or None."""
    forms = {key, key.lower(), key.upper(), decoded(key), *cores(key), *cores(quote(key, safe=""))}
    for text in _readings(output):
        for form in forms:
            start = text.find(form)
            if start >= 0:
                return text[max(0, start - 60) : start + len(form) + 60]
    return None


@lru_cache(maxsize=5000)
def _readings(output: bytes) -> tuple[str, ...]:
    """Return an output in the ways in which a reader may understand it."""
    text = output.decode("latin-1")
    read = {text, html.unescape(text)}
    read |= {decoded(each) for each in read}
    encoded = (found[0].translate(_URL_SAFE_TO_STANDARD) for found in _BASE64.finditer(output))
    read.add("\n".join(map(_decoded_base64, {each.rstrip(b"=") for each in encoded})))
    return tuple(read)


def _decoded_base64(text: bytes) -> str:
    return b64decode(text[: len(text) // 4 * 4]).decode("latin-1")
