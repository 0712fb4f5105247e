"""The JSON Schema of the configuration file accepts what the loader accepts, and nothing else."""

import json
import math
import tomllib
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from mock_server.catalogue_files import load_catalogue
from mock_server.control.openapi.rules import rule_schemas
from mock_server.domain.errors import InvalidValue
from mock_server.domain.setting import declarations
from mock_server.profile_files import chosen_rules
from mock_server.settings import Settings, load_settings
from mock_server.settings.file_schema import file_schema
from tests.mock_server.rules.strategies import rules, spoiled
from tests.properties import examples

Json = dict[str, Any]

CATALOGUE = load_catalogue(Settings())
SCHEMA = file_schema(rule_schemas(CATALOGUE.fail_messages))
VALIDATOR = Draft202012Validator(SCHEMA)
NAMES = [each.name for each in declarations(Settings)]
PAGE = (Path(__file__).parents[3] / "docs/settings.md").read_text("utf-8")

VALID_FILES = {
    "example of the page": PAGE.partition("```toml\n")[2].partition("```")[0],
    "empty": "",
    "server": 'host = "::1"\nport = 0\nseed = 7\nclock = "manual"\nspeed = 20\n',
    "texts": 'api_key = "sk-one, sk-two"\nallowed_host = ["mock", "mock.example.com"]\n',
    "longest key": f'api_key = "{"k" * 512} , sk-two"\n',
    "longest key in a list": f'api_key = [" {"k" * 512} "]\n',
    "durations": 'generation-time = "500ms"\nresult_ttl = "15d"\ncallback_timeout = 2.5\n',
    "money": "price = 0.04\nbalance = 12.5\n",
    "address": 'public_url = "https://user@[::1]:8443/base/"\n',
    "whole number as a float": "rate_limit = 5.0\ninsufficient_credits_status = 402.0\n",
    "rules": '[[rules]]\napply = { wire = "close" }\n[[rules]]\napply = { latency = 1 }\n',
}
INVALID_FILES = {
    "unknown key": "prot = 0",
    "table": "[server]\nport = 0",
    "number as a text": 'port = "0"',
    "boolean as a text": 'strict = "true"',
    "boolean as a number": "strict = 1",
    "number as a boolean": "port = true",
    "out of range": "rate_limit = 0",
    "unknown word": 'egress = "everywhere"',
    "duration without a number": 'generation_time = "soon"',
    "negative duration": "generation_time = -1",
    "blank text": 'host = " "',
    "blank key": 'api_key = "sk-one,,sk-two"',
    "too long key": f'api_key = "sk-one,{"k" * 513}"',
    "too long key in a list": f'api_key = ["sk-one", "{"k" * 513}"]',
    "blank key in a list": 'api_key = ["sk-one", ""]',
    "address with a query": 'public_url = "https://example.com/?a=1"',
    "address with an impossible port": 'public_url = "https://example.com:65536"',
    "rules that are no tables": "rules = [1]",
    "rule without a fault": "[[rules]]\nmatch = {}",
    "rule with an unknown fault": '[[rules]]\napply = { wire = "cloze" }',
    "rule with an unknown fail code": '[[rules]]\napply = { outcome = { fail = "NSWF" } }',
    "date": "seed = 1979-05-27",
}


def is_loaded(text: str) -> bool:
    """Whether the loader accepts a file with this text."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "mock.toml"
        file.write_text(text, "utf-8")
        with suppress(InvalidValue):
            chosen_rules(load_settings({}, {}, file), CATALOGUE)
            return True
    return False


def is_documented(text: str) -> bool:
    return bool(VALIDATOR.is_valid(tomllib.loads(text)))


def test_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("text", VALID_FILES.values(), ids=VALID_FILES)
def test_valid_file_is_accepted_by_schema_and_loader(text: str) -> None:
    assert is_documented(text)
    assert is_loaded(text)


@pytest.mark.parametrize("text", INVALID_FILES.values(), ids=INVALID_FILES)
def test_invalid_file_is_rejected_by_schema_and_loader(text: str) -> None:
    assert not is_documented(text)
    assert not is_loaded(text)


def toml(value: object) -> str:
    """Return a value as TOML writes it."""
    match value:
        case dict():
            return f"{{ {', '.join(f'{toml(k)} = {toml(v)}' for k, v in value.items())} }}"
        case list():
            return f"[{', '.join(map(toml, value))}]"
        case float():
            return repr(value)
        case _:
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


characters = st.characters(codec="utf-8")
words = st.sampled_from(
    [
        *(word for each in declarations(Settings) for word in each.words),
        "", " ", ",", "a,b", "30", "2.5", "500ms", "15d", "1y", "-1s", "true", "\n", "\u00a0",
        "http://a", "HTTPS://a:65535/b", "http://a:65536", "http://", "http://a b", "ftp://a",
        "http://u:p@[::1]:80/", "http://é", "http://a/?b", "http://a/#b", " http://a ", "http://:8",
    ]
)  # fmt: skip
numbers = st.sampled_from(
    [
        bound + step
        for each in declarations(Settings)
        for bound in (each.schema.get("minimum", 0), each.schema.get("maximum", 0))
        for step in (-1, 0, 1, 0.5)
        if math.isfinite(bound)
    ]
)
scalar_texts = st.text(characters, max_size=8)
scalars = (
    st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.integers(-5, 5000)
    | st.floats(allow_nan=False, allow_infinity=False)
    | scalar_texts
    | words
    | numbers
)
values = scalars | st.lists(scalars, max_size=3) | st.dictionaries(scalar_texts, scalars)


def typical(schema: Json) -> st.SearchStrategy[Any]:
    """Draw what the schema means, and what is close to it."""
    if "anyOf" in schema:
        return st.one_of(*map(typical, schema["anyOf"]))
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema["type"]:
        case "boolean":
            return st.booleans()
        case "integer" | "number":
            low, high = int(schema.get("minimum", 0)), int(schema["maximum"])
            edges = st.sampled_from([low - 1, low, low + 0.5, float(high), high, high + 1])
            return st.integers(low, high) | st.integers(low, high) | edges
        case "array":
            return st.lists(typical(schema["items"]), max_size=3)
    meant = st.from_regex(schema["pattern"], alphabet=characters)
    return st.one_of(meant, meant, meant, words)


def member(name: str) -> st.SearchStrategy[tuple[str, Any]]:
    meant = typical(SCHEMA["properties"][name])
    spelling = st.sampled_from([name, name.replace("_", "-")])
    return st.tuples(spelling, st.one_of(*[meant] * 5, values))


members = st.one_of(*(member(name) for name in NAMES if name != "rules"))
unknown = st.tuples(st.text("abc_-", min_size=1), scalars)
files = st.lists(members | members | members | unknown, max_size=3).map(dict)


def is_within_a_century(written: Json) -> bool:
    """Whether no duration is as long as 9999999d, which the loader rejects.

    A pattern cannot bound a number.
    """
    return not any(
        isinstance(value, str) and value.strip().rstrip("dhms")[6:].strip()
        for value in written.values()
    )


@examples(300)
@example({"log_format": False, "log-format": "json"})
@example({"host": "\x1c"})
@example({"public_url": "http://a\x0b"})
@example({"api_key": "\u2003,a"})
@given(files.filter(is_within_a_century))
def test_schema_accepts_a_file_if_and_only_if_the_loader_does(written: Json) -> None:
    text = "".join(f"{toml(name)} = {toml(value)}\n" for name, value in written.items())

    assert is_documented(text) is is_loaded(text)


def without_null(value: Any) -> Any:
    """Return the value as TOML can write it."""
    match value:
        case dict():
            return {name: without_null(each) for name, each in value.items() if each is not None}
        case list():
            return [without_null(each) for each in value if each is not None]
    return value


@given(st.lists(rules | spoiled(), min_size=1, max_size=2))
def test_schema_accepts_the_rules_that_the_loader_accepts(written: list[Json]) -> None:
    """The parser of rules rejects more than a schema can say."""
    text = f"rules = {toml(without_null(written))}"

    if is_loaded(text):
        assert is_documented(text)
