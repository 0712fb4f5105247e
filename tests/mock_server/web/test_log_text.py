"""What a client chooses cannot forge a line of the log or show a key in it."""

from urllib.parse import quote, unquote

from hypothesis import given
from hypothesis import strategies as st

from mock_server.web.log_text import LogText

KEYS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=20)
TEXTS = st.text(max_size=40)


@given(TEXTS, st.binary(max_size=60), TEXTS)
def test_texts_are_one_printable_line(path: str, query: bytes, sentence: str) -> None:
    text = LogText.of_request([])

    assert text.target(f"/{path}", query).isprintable()
    assert text.target(f"/{path}", query).isascii()
    assert text.sentence(sentence).isprintable()


@given(KEYS, TEXTS, TEXTS)
def test_key_of_the_request_is_in_no_text(key: str, before: str, after: str) -> None:
    text = LogText.of_request([(b"authorization", f"Bearer {key}".encode())])
    around = before.replace(key, ""), after.replace(key, "")

    for shown in (key.join(around), quote(key, safe="").join(around)):
        query = f"taskId={quote(shown)}&other={quote(shown)}&{quote(shown)}".encode()
        target = text.target(f"/{shown}", query)
        assert key not in unquote(unquote(target))
        assert key not in unquote(text.sentence(shown))


def test_key_that_is_encoded_twice_is_in_no_text() -> None:
    text = LogText.of_request([(b"authorization", b"Bearer secret-key")])

    assert text.target("/secret%2Dkey", b"taskId=secret%252dkey") == "/[redacted]?taskId=[redacted]"
    assert text.sentence("secret%2dkey and secret%2Dkey") == "[redacted] and [redacted]"


@given(KEYS)
def test_key_of_the_server_is_in_no_text(key: str) -> None:
    text = LogText.of_request([], secrets=[key])

    assert text.target(f"/a/{key}/b", b"") == "/a/[redacted]/b"
    assert text.sentence(f"a {key} b") == "a [redacted] b"


def test_long_texts_are_shortened() -> None:
    text = LogText.of_request([])

    assert len(text.target("/" + "x" * 5000, b"")) < 600
    assert text.sentence("x" * 5000).endswith("x…")


def test_parameters_that_the_server_knows_are_shown_and_others_hidden() -> None:
    shown = LogText.of_request([]).target("/path", b"taskId=task_1&key=abc&secret&state=failed")

    assert shown == "/path?taskId=task_1&key=[redacted]&[redacted]&state=failed"
