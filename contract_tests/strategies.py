"""Hypothesis strategies for the body of a submit, for any test of a client or server of this API.

    from hypothesis import given
    from contract_tests.strategies import submissions

    @given(submissions())
    def test_my_client_sends_any_valid_submission(body: dict[str, object]) -> None: ...

All values are JSON and are new objects, so tests may change them. Prompts contain no moderated word
and no directive of the mock, so a valid submission ends as a success. Texts contain no unpaired
surrogates, which UTF-8 cannot encode.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

Json: TypeAlias = Any
Body: TypeAlias = dict[str, Any]

PROMPT_MAX = 10_000  # code points, SUB-9
IMAGES_MAX = 5  # SUB-12
MODES = ("gpt-image-1", "text-to-image", "image-to-image")  # SUB-8
RATIOS = ("1:1", "3:2", "2:3")  # SUB-10
COUNTS = (1, 2, 4)  # SUB-11
REQUEST_TYPES = ("async", "callback")  # SUB-3
PROVIDERS = ("auto", "value", "official")  # SUB-6
CALLBACK_URL = "https://receiver.example.com/callback"
"""A public HTTPS URL (SUB-5) on which no server listens."""

_MEMBERS = frozenset({"request_type", "callback_url", "provider", "input"})
_INPUT_MEMBERS = frozenset({"mode", "prompt", "aspect_ratio", "num_images", "image_urls"})
NEAR_MEMBERS: Mapping[str, Json] = {
    "nVariants": 4, "isEnhance": True,  # SUB-16
    "Prompt": "a blue whale", "prompt ": "a blue whale", "PROMPT": "a blue whale",
    "text": "a blue whale",
    "numImages": 4, "num-images": 4, "n": 4, "num_images[]": 4,
    "aspectRatio": "2:3", "size": "1024x1536", "ratio": "16:9",
    "imageUrls": ["https://images.invalid/fox.png"], "image_url": "https://images.invalid/fox.png",
    "requestType": "callback", "webhook": "https://receiver.example.com/other", "Provider": "none",
    "model": "another", "seed": 1, "$schema": None, "": "",
}  # fmt: skip
"""Members that clients of this and other APIs send, but that the contract does not define."""

_REFUSED = re.compile(
    "behead|bestial|bloodbath|decapit|dismember|gore|hentai|mutilat|naked|necrophil|nsfw|nud|porn"
    "|rape|terroris|tortur"
)
_SPECIMENS = (
    "a red fox in the snow",
    "\U0001f469\u200d\U0001f467\u200d\U0001f466 \U0001f98a\U0001f3fd",  # joined, modified emoji
    "\U0001d518\U0001d52b\U0001d526 \U00010348 \U0002070e",  # the astral plane
    "\u202eright to left\u202c \u2067\u05e9\u05dc\u05d5\u05dd\u2069 \u0645\u0631\u062d\u0628\u0627",
    "e\u0301 is not \u00e9; Z\u0351\u036b\u0343a\u0329l\u0347g\u0321o\u0322",
    "\ufb01 \u00bd A\u030a \u212b \ufb1d",  # A normal form would change these.
    "NUL \x00 and \x1f\x7f\x85\u2028\u2029 others",
    "\x00",
    " \t\r\n surrounded \n\r\t ",
    '"quotes" \\ back\\u0041slash / %00 %s {} <b>&amp;</b> \' OR 1=1 --',
    "\ufeff\ufffd\ufffe\uffff\U0010ffff",
    "\u3164\u200b\u200d\u2060",  # All characters are invisible.
)
_FILLERS = str.maketrans("", "", "\u115f\u1160")  # Invisible letters.
_CHARACTERS = st.characters(exclude_categories=["Cs"])


def prompts() -> SearchStrategy[str]:
    """Generate any prompt that SUB-9 allows: 1 to 10,000 characters of any kind, including NUL."""
    short = st.text(_CHARACTERS, min_size=1, max_size=60)
    specimens = st.sampled_from(_SPECIMENS)
    mixed = st.tuples(specimens, short).map("".join)
    return st.one_of(specimens, short, mixed, _long_prompts()).filter(is_harmless)


def is_harmless(prompt: str) -> bool:
    """Tell whether a prompt contains neither a moderated word nor a directive of the mock."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", prompt).casefold())
    letters = "".join(char for char in folded if unicodedata.category(char)[0] in "LN")
    return not _REFUSED.search(letters.translate(_FILLERS)) and "[[mock" not in prompt


def image_urls() -> SearchStrategy[str]:
    """Generate URLs of reference images that SUB-13 allows; no server serves them."""
    names = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=20)
    extensions = st.sampled_from(("png", "jpg", "jpeg", "webp", "PNG"))
    queries = st.sampled_from(("", "?size=large", "?signed=a%2Fb&until=1"))
    return st.builds("https://images.example.com/{}.{}{}".format, names, extensions, queries)


def inputs(modes: Sequence[str] = MODES) -> SearchStrategy[Body]:
    """Generate a valid `input`: mode and prompt, and any of the other members (SUB-7 … SUB-12)."""
    return st.fixed_dictionaries(
        {"mode": st.sampled_from(modes), "prompt": prompts()},
        optional={
            "aspect_ratio": st.sampled_from(RATIOS),
            "num_images": st.sampled_from(COUNTS),
            "image_urls": st.lists(image_urls(), max_size=IMAGES_MAX),
        },
    )


def submissions(
    *, callback_url: str | None = CALLBACK_URL, modes: Sequence[str] = MODES
) -> SearchStrategy[Body]:
    """Generate a valid body of a submit.

    Callback tasks have this `callback_url`; with None there are no callback tasks. Not every server
    accepts every mode (SUB-8).
    """
    given = inputs(modes)
    polled = st.fixed_dictionaries(
        {"input": given},
        optional={"request_type": st.just("async"), "provider": st.sampled_from(PROVIDERS)},
    )
    if callback_url is None:
        return polled
    called = st.fixed_dictionaries(
        {
            "request_type": st.just("callback"),
            "callback_url": st.just(callback_url),
            "input": given,
        },
        optional={"provider": st.sampled_from(PROVIDERS)},
    )
    return st.one_of(polled, called)


def unknown_members() -> SearchStrategy[Body]:
    """Generate members that the contract does not define, often similar to defined ones."""
    names = st.text(_CHARACTERS, max_size=12).filter(
        lambda name: name not in _MEMBERS | _INPUT_MEMBERS
    )
    near = st.dictionaries(st.sampled_from(tuple(NEAR_MEMBERS)), st.none(), min_size=1, max_size=4)
    return st.one_of(
        near.map(lambda chosen: {name: NEAR_MEMBERS[name] for name in chosen}),
        st.dictionaries(names, json_values(), min_size=1, max_size=4),
    )


def json_values() -> SearchStrategy[Json]:
    """Generate any small JSON value."""
    leaves = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**53), 2**53),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(_CHARACTERS, max_size=12),
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(st.text("abcdefg", min_size=1, max_size=4), inner, max_size=3),
        ),
        max_leaves=6,
    )


def with_unknown_members(bodies: SearchStrategy[Body]) -> SearchStrategy[tuple[Body, Body]]:
    """Generate a body, and the same body with unknown members, also in `input`."""
    return _extended(bodies, unknown_members())


def broken_submissions(*, modes: Sequence[str] = MODES) -> SearchStrategy[tuple[Body, str]]:
    """Generate a body with exactly one invalid field, and the path that the error must name."""
    return _broken(submissions(modes=modes))


# Strategies are built once and not for each example: Hypothesis reads the source of their lambdas,
# which takes longer than to generate the example.
@st.composite
def _extended(
    draw: st.DrawFn, bodies: SearchStrategy[Body], members: SearchStrategy[Body]
) -> tuple[Body, Body]:
    body = draw(bodies)
    outer, inner = draw(members), draw(members)
    return body, {**outer, **body, "input": {**inner, **body["input"]}}


@st.composite
def _broken(draw: st.DrawFn, bodies: SearchStrategy[Body]) -> tuple[Body, str]:
    body = draw(bodies)
    path = draw(st.sampled_from(tuple(_BREAKS)))
    name = path.removeprefix("input.")
    holder = body["input"] if name != path else body
    broken = draw(_BREAKS[path])
    if broken is _MISSING:
        holder.pop(name, None)
    else:
        holder[name] = broken
    if path == "callback_url":  # It is optional otherwise.
        body["request_type"] = "callback"
    return body, path


def _long_prompts() -> SearchStrategy[str]:
    """Generate prompts of about the maximum length, with characters of one to four bytes."""
    units = st.sampled_from(("a", "é", "雪", "🦊", "e\u0301", "\x00", "fox "))
    lengths = st.sampled_from((1, 5_000, 5_001, 9_999, PROMPT_MAX))
    return st.builds(lambda unit, length: (unit * length)[:length], units, lengths)


_MISSING: Json = object()
_NO_STRINGS: tuple[Json, ...] = (None, 0, 7, 1.5, True, [], ["a"], {}, {"a": "b"})


def _other_than(*values: object) -> SearchStrategy[Json]:
    """Generate JSON that is none of these values, nor null, which may count as absent."""
    near = [f"{value} " for value in values] + [str(value).upper() for value in values]
    others = st.one_of(st.sampled_from(near), json_values(), st.just([*values]))
    return others.filter(lambda other: other is not None and not _is_one_of(other, values))


def _is_one_of(other: Json, values: tuple[object, ...]) -> bool:
    """Tell whether JSON equals one of the values; 1.0 equals 1, but true does not."""
    return not isinstance(other, bool) and other in values


_BREAKS: Mapping[str, SearchStrategy[Json]] = {
    "input": st.one_of(st.sampled_from((_MISSING, None, [], "a fox", 7, True))),
    "input.prompt": st.one_of(
        st.sampled_from((_MISSING, "", *_NO_STRINGS)),
        st.sampled_from(("a", "🦊", "e\u0301")).map(lambda unit: (unit * 10_001)[:10_001]),
    ),
    "input.mode": _other_than(*MODES),
    "input.aspect_ratio": _other_than(*RATIOS),
    "input.num_images": _other_than(*COUNTS),
    "input.image_urls": st.one_of(
        st.lists(image_urls(), min_size=IMAGES_MAX + 1, max_size=IMAGES_MAX + 2),
        st.lists(st.sampled_from((None, 7, True, [], {})), min_size=1, max_size=IMAGES_MAX),
        st.sampled_from(("https://images.example.com/fox.png", 7, True, {})),
    ),
    "request_type": _other_than(*REQUEST_TYPES),
    "callback_url": st.sampled_from((_MISSING, "", None, 7, True, [], {})),
    "provider": _other_than(*PROVIDERS),
}
