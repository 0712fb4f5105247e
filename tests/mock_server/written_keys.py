"""The forms in which a client may write its API key, and a check that a text has none of them."""

import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote, quote_plus

from hypothesis import strategies as st

VISIBLE = "".join(map(chr, range(0x21, 0x7F)))

# Of several backslashes in a key, some of them percent-encoded and others not are not found.
keys = st.text(st.sampled_from(VISIBLE), min_size=10, max_size=40).filter(
    lambda key: (
        len(set(key) - set("%\\u0")) > 6 and key.count("\\") < 2 and "redacted" not in decoded(key)
    )
)


def percent(character: str) -> str:
    return "".join(f"%{byte:02x}" for byte in character.encode())


WRITTEN: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "percent-encoded": percent,
    "percent-encoded in capitals": lambda character: percent(character).upper(),
    "escaped": lambda character: f"\\u{ord(character):04x}",
    "escaped in capitals": lambda character: f"\\u{ord(character):04X}",
    "escaped twice": lambda character: f"\\\\u{ord(character):04x}",
    "escaped in JSON": lambda character: json.dumps(character)[1:-1],
}


@st.composite
def written(draw: st.DrawFn, key: str) -> str:
    """Draw one of the forms of a key."""
    how = draw(st.sampled_from(["mixed", "address", "form", "base64", "json", "json-twice"]))
    if how == "mixed":
        ways = draw(st.lists(st.sampled_from([*WRITTEN]), min_size=1, max_size=4, unique=True))
        return "".join(WRITTEN[draw(st.sampled_from(ways))](each) for each in key)
    if how == "base64":
        before, after = draw(st.binary(max_size=4)), draw(st.binary(max_size=4))
        encode = draw(st.sampled_from([b64encode, urlsafe_b64encode]))
        return encode(before + key.encode() + after).decode()
    once = json.dumps(key)[1:-1]
    forms = {"address": quote(key, safe=""), "form": quote_plus(key), "json": once}
    return forms.get(how, json.dumps(once)[1:-1])


def decoded(text: str) -> str:
    """Return a text without escapes, as a reader could undo them."""
    text = re.sub(r"\\+u00([0-9A-Fa-f]{2})", r"%\1", text).replace("\\", "")
    return re.sub(r"%([0-9A-Fa-f]{2})", lambda found: chr(int(found[1], 16)), text)


def cores(key: str) -> list[str]:
    """Return what each base64 that contains the key contains, whatever is around the key."""
    return [
        encoded[4:-4]
        for before in range(3)
        for encode in (b64encode, urlsafe_b64encode)
        for encoded in [encode(bytes(before) + key.encode()).decode()]
    ]


def assert_hidden(key: str, text: str) -> None:
    assert key not in text
    assert decoded(key) not in decoded(text)
    for core in cores(key):
        assert core not in text
