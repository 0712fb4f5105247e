"""Rules as people write them: good ones, and ones with anything in one of their places."""

import json
from collections.abc import Iterator

from hypothesis import strategies as st

from mock_server.domain.faults.callback import CallbackFault
from mock_server.domain.faults.meaning import MeaningFault
from mock_server.domain.faults.wire import WireFault
from mock_server.domain.rule_grammar import Match
from tests.mock_server.e2e.api import Json

MEMBERS = Match.__struct_fields__
FAIL_CODES = {"NSFW": "not safe"}
WIRES = [each.value for each in WireFault]
MEANINGS = [each.value for each in MeaningFault]
CALLBACKS = [each.value for each in CallbackFault if not each.traits.value]

durations = st.integers(0, 9).map(lambda n: f"{n}s") | st.integers(0, 9) | st.just("1.5ms")
applies = st.one_of(
    st.sampled_from([{"wire": wire} for wire in WIRES]),
    st.sampled_from([{"meaning": each} for each in MEANINGS]),
    st.sampled_from([{"callback": each} for each in CALLBACKS]),
    st.integers(1, 100).map(lambda n: {"callback": {"duplicate": n}}),
    durations.map(lambda length: {"callback": {"delay": length}}),
    st.builds(
        lambda status, wait: {"refuse": {"status": status, "message": "x", "retry_after": wait}},
        st.integers(400, 599),
        st.sampled_from([None, 0, 7, "7", "date:7"]),
    ),
    st.fixed_dictionaries(
        {"outcome": st.fixed_dictionaries({"hold": st.booleans()}, optional={"pending": durations})}
    ),
    st.builds(
        lambda sigma: {"latency": {"lognormal": {"median": "1s", "sigma": sigma, "max": 3}}},
        st.floats(0.001, 10),
    ),
)
matches = st.fixed_dictionaries(
    {},
    optional={
        "prompt": st.text(min_size=1, max_size=20),
        "prompt_regex": st.sampled_from(["a+b", "^x", r"\d{2,4}", "(?i)cat|dog"]),
        "header": st.just({"X-Test": "yes"}),
        "nth": st.integers(1, 10**9) | st.sampled_from(["2..4", "every 3", "7", " 1..1 "]),
        "times": st.integers(1, 10**9),
        "times_each": st.none() | st.integers(1, 9),
        "probability": st.floats(0, 1) | st.integers(0, 1),
    },
)
rules = st.fixed_dictionaries({"apply": applies}, optional={"match": matches})

words = st.sampled_from(
    [
        *MEMBERS,
        *WIRES,
        *CALLBACKS,
        "duplicate",
        "delay",
        "match",
        "apply",
        "2..1",
        "every 0",
        "date:x",
    ]
)
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | words
)
anything = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(words | st.text(), inner, max_size=3)
    ),
    max_leaves=8,
)


def places(value: object) -> Iterator[tuple[Json, str]]:
    """Yield each member of an object, however deep."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield value, name
            yield from places(inner)


@st.composite
def spoiled(draw: st.DrawFn) -> Json:
    """Draw a good rule with anything in one of its places, or anything more."""
    rule: Json = json.loads(json.dumps(draw(rules)))
    holder, name = draw(st.sampled_from(list(places(rule))))
    if draw(st.booleans()):
        holder[name] = draw(anything)
    else:
        holder[draw(words | st.text())] = draw(anything)
    return rule
