"""wrk gets a script and prints what it measured in one line of JSON."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.errors import BenchError
from benchmarks.wrk import Load, Request, parsed, script

LINE = (
    'measured {"requests": 84210, "duration_us": 2000000, "p50_us": 702, "p99_us": 1460,'
    ' "rejected": 0, "late": 0, "broken": 3}\n'
)
PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=126))


def test_line_of_the_script_is_found_among_the_output_of_wrk() -> None:
    load = parsed(f"Running 2s test @ http://127.0.0.1\n  1 threads and 32 connections\n{LINE}")

    assert load == Load(
        requests=84210,
        duration_us=2_000_000,
        p50_us=702,
        p99_us=1460,
        rejected=0,
        late=0,
        broken=3,
    )
    assert load.per_s == 42_105


@pytest.mark.parametrize("output", ["", "unable to connect to 127.0.0.1:1 Connection refused\n"])
def test_output_without_the_line_is_an_error_that_shows_it(output: str) -> None:
    with pytest.raises(BenchError, match=output.strip() or "no output"):
        parsed(output)


@given(PRINTABLE)
def test_body_in_the_script_is_the_body_of_the_request(body: str) -> None:
    line = next(
        line
        for line in script(Request(paths=["/"], body=body)).splitlines()
        if line.startswith("wrk.body")
    )

    # The only escapes of printable ASCII in JSON, \" and \\, are those of Lua.
    assert json.loads(line.removeprefix("wrk.body = ")) == body


def test_request_that_lua_would_read_differently_is_rejected() -> None:
    with pytest.raises(ValueError, match="printable ASCII"):
        script(Request(paths=["/"], body="łąka"))


def test_script_takes_several_paths_in_turn_and_one_path_without_a_function() -> None:
    assert "function request" not in script(Request(paths=["/one"]))
    assert '{"/one", "/two"}' in script(Request(paths=["/one", "/two"]))
