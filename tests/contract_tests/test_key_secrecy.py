"""The key leaves the kit in one header only: no report, recording or line of output holds it."""

import json
import re
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_tests.contract.redaction import HIDDEN, Redaction
from contract_tests.server.cassettes import load, load_index
from contract_tests.server.events import Delivery, Response
from mock_server.settings import Settings
from tests.contract_tests.commands import contract_tests
from tests.contract_tests.mutants.harness import Asked, Mutant, Serve, Told, serving

KEY = 'sk-live/0123+456"789\\ABC=='
keys = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=6, max_size=40)


async def tell_tale(asked: Asked, serve: Serve) -> Told:
    """Answer with the key wherever an answer has room for it, written in every manner."""
    key = asked.header(b"authorization").decode().partition(" ")[2]
    told = await serve(asked)
    if told.status == 200 and asked.is_result:
        return told
    forms = [key, quote(key), quote(key, safe=""), key.upper(), json.dumps(key).replace("/", "\\/")]
    message = f"not allowed: {' or '.join(forms)}"
    told = told.with_json(told.json | {"message": message, "forms": forms})
    echoed = (b"x-your-key", key.encode()), (b"x-" + quote(key, safe="").encode(), b"1")
    return Told(status=told.status, headers=(*told.headers, *echoed), body=told.body)


@pytest.mark.parametrize("live", [False, True], ids=["loopback", "live"])
def test_a_server_that_sends_the_key_back_finds_it_nowhere(tmp_path: Path, *, live: bool) -> None:
    settings = Settings(clock="real", generation_time_ms=0, seed=7)
    mutant = Mutant(name="tell-tale", clause="SUB-1", make=lambda: tell_tale, settings=settings)
    with serving(mutant) as url:
        words = ("run", "--base-url", url, "--record", tmp_path / "tape", "--report", tmp_path)
        select = ("--select", "S-SUB-0[0-4]*", "--select", "S-ENV-0*")
        switches = ("--live", "--budget", "5") if live else ()
        ended = contract_tests(*words, *select, *switches, env={"APIXO_API_KEY": KEY})

    texts = [path.read_text("utf-8") for path in tmp_path.iterdir() if path.is_file()]
    tape = [str(load(tmp_path / "tape", each)) for each in load_index(tmp_path / "tape").cases]
    told = "\n".join([ended.stdout, ended.stderr, *texts, *tape])
    assert ended.returncode in {0, 1}
    assert told.count(HIDDEN) > len(tape)
    assert re.findall(r"(?i)sk-live|0123.{0,8}456", told) == []


@given(keys, st.text(max_size=5), st.text(max_size=5))
def test_what_is_said_around_a_key_stays(key: str, before: str, after: str) -> None:
    redaction = Redaction([key])

    assert redaction.text(f"{before} {key} {after}") == f"{before} {HIDDEN} {after}"


@given(keys, keys)
def test_a_key_that_begins_with_another_is_hidden_as_a_whole(key: str, more: str) -> None:
    assert Redaction([key, key + more]).text(f"<{key}{more}>") == f"<{HIDDEN}>"


@given(keys)
def test_no_part_of_an_answer_or_a_callback_is_forgotten(key: str) -> None:
    redaction, pairs = Redaction([key]), ((f"X-{key}", f"v {key}"),)

    response = Response(
        status=0, headers=pairs, body=key.encode(), error=f"no such host: {key}"
    ).redacted(redaction)
    delivery = Delivery(method="POST", headers=pairs, body=key.encode(), answered=200).redacted(
        redaction
    )

    hidden = ((f"X-{HIDDEN}", f"v {HIDDEN}"),)
    assert (response.headers, response.body) == (hidden, HIDDEN.encode())
    assert response.error == f"no such host: {HIDDEN}"
    assert (delivery.headers, delivery.body) == (hidden, HIDDEN.encode())


def test_without_a_key_nothing_is_hidden() -> None:
    assert Redaction([]).text("anything") == "anything"
    assert Redaction(["a"]).content(b"a word") == b"a word"
