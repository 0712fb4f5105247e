"""The forms in which a client may write its API key, and a check that a text has none of them."""

import json
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote, quote_plus

from hypothesis import strategies as st

from tests.secrecy.key_search import WRITTEN, cores, decoded

VISIBLE = "".join(map(chr, range(0x21, 0x7F)))

# Of several backslashes in a key, some of them percent-encoded and others not are not found.
keys = st.text(st.sampled_from(VISIBLE), min_size=10, max_size=40).filter(
    lambda key: (
        len(set(key) - set("%\\u0")) > 6 and key.count("\\") < 2 and "redacted" not in decoded(key)
    )
)


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


def assert_hidden(key: str, text: str) -> None:
    assert key not in text
    assert decoded(key) not in decoded(text)
    for core in cores(key):
        assert core not in text
