"""The key leaves the kit in one header only: no report, recording or line of output holds it."""

from hypothesis import given
from hypothesis import strategies as st

from contract_tests.contract.redaction import HIDDEN, Redaction
from contract_tests.server.events import Delivery, Response

keys = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=6, max_size=40)


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
