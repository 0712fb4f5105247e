"""Whatever a key looks like and wherever a client puts it, no witness shows it."""

import json
from base64 import b64decode
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.mock_server import written_keys
from tests.mock_server.e2e.api import BALANCE, STATUS, SUBMIT, Api, Json
from tests.mock_server.e2e.serving import RunningMock
from tests.properties import examples

_numbers = count(1)

SHOWING = (
    "journal",
    "journal?format=har",
    "journal/wait?count=1",
    "callbacks",
    "tasks",
    "rules",
    "next",
    "sandbox",
    "sandbox/snapshot",
)
VISIBLE = "".join(map(chr, range(0x21, 0x7F)))

keys = st.text(st.sampled_from(VISIBLE), min_size=12, max_size=40).filter(
    lambda key: len(set(key)) > 6  # a key of few letters stands in words by chance
)


def live(api: Api, *, is_in_kept_texts: bool = True) -> None:
    """Send the key in every part of a request.

    Prompts, callback URLs and prompts in rules are kept as they are, also by a durable store.
    """
    key = api.key
    kept = key if is_in_kept_texts else "a fox"
    for written in (key, quote(key, safe=""), quote_plus(key)):
        api.http.get(f"{STATUS}?taskId={quote(written, safe='')}", headers=bearer(key))
        api.http.get(f"{BALANCE}?key={quote(written, safe='')}", headers=bearer(key))
    api.http.get(f"{BALANCE}?key={encoded(key)}", headers=bearer(key))
    api.send("GET", BALANCE, headers={"X-Key": key, "Cookie": f"k={key}", "Referer": key})
    body: Json = {
        "input": {"prompt": f"say {kept}", key: key},
        "request_type": "callback",
        "callback_url": f"http://127.0.0.1:9/{quote(kept, safe='')}?k={quote(kept, safe='')}",
        "more": json.dumps({"key": key}),
    }
    api.send("POST", SUBMIT, body=body)
    api.send("POST", SUBMIT, body=body | {"provider": key})  # the refusal quotes it
    images = {"prompt": kept, "image_urls": [f"https://{key}.invalid/a.png"]}
    api.send("POST", SUBMIT, body={"input": images})
    api.send("POST", SUBMIT, content=key.encode())
    task_id = api.submit(kept)
    api.advance("5m")
    (url,) = api.result_urls(task_id)  # A download needs no key.
    api.http.get(url, params={"key": key}, headers={"X-Key": key})
    api.told("POST", "rules", {"match": {"prompt": kept}, "apply": {"callback": "garbage"}})
    api.told("POST", "next", {"match": {"prompt": kept}, "apply": {"refuse": {"status": 503}}})
    asked = {"header": {"Authorization": f"Bearer {key}", "X-Key": f"a {key}"}}
    api.told("POST", "rules", {"match": asked, "apply": {"refuse": {"status": 503}}})
    assert api.send("GET", BALANCE, headers={"X-Key": f"a {key}"}).status_code == 503
    assert api.send("GET", BALANCE, headers={"X-Key": "a"}).status_code == 200
    api.advance("5m")


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def spelled(key: str) -> set[str]:
    """Return the key as text, as JSON writes it, and as addresses do."""
    once = json.dumps(key)[1:-1]
    twice = json.dumps(once)[1:-1]
    return {key, once, twice, quote(key, safe=""), quote_plus(key), encoded(key)}


def encoded(key: str) -> str:
    return "".join(f"%{byte:02X}" for byte in key.encode())


@examples(40)
@given(keys)
def test_no_witness_of_a_sandbox_shows_its_key(mock: RunningMock, key: str) -> None:
    api = mock.api(f"sk-{next(_numbers)}-{key}")
    live(api)

    for path in SHOWING:
        answer = api.control("GET", path)
        assert answer.status_code == 200
        answer.json()
        for form in spelled(api.key):
            assert form not in answer.text, path
    api.control("DELETE", "sandbox")


# All is drawn before the first request: the threads of the server may use random numbers.
keys_with_forms = written_keys.keys.flatmap(
    lambda key: st.tuples(st.just(key), written_keys.written(key))
)


@examples(60)
@given(keys_with_forms)
@example(("q<l.B@9zU'I;)%", "q%3Cl.B%409zU%27I%3B%29%"))
def test_nothing_shows_a_key_that_a_prompt_contains_in_any_form(
    mock: RunningMock, drawn: tuple[str, str]
) -> None:
    key, form = drawn
    api = mock.api(key)
    api.try_submit({"input": {"prompt": f"a fox {form}"}})
    api.send("POST", SUBMIT, content=b'{"input": {"prompt": "%b"}}' % form.encode())
    query = (
        f"key={quote(form, safe='%+')}"  # Otherwise, a form could be percent-encoded four times.
    )
    api.send("GET", f"{BALANCE}?{query}", headers={"X-Key": form})
    task_id = api.submit(callback_url=f"http://127.0.0.1:9/?{query}")
    api.advance("5m")
    api.http.get(f"{api.result_urls(task_id)[0]}?{query}")

    for path in SHOWING:
        answer = api.control("GET", path)
        for text in texts_in(answer.json()):
            written_keys.assert_hidden(api.key, text)
            with suppress(ValueError):  # A snapshot has bytes in base64.
                written_keys.assert_hidden(
                    api.key, b64decode(text, validate=True).decode("latin-1")
                )
    assert mock.http.get("/_mock/sandboxes").status_code == 200
    api.control("DELETE", "sandbox")


def texts_in(value: object) -> Iterator[str]:
    """Yield all texts and names in a value of JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, member in value.items():
            yield name
            yield from texts_in(member)
    elif isinstance(value, list):
        for each in value:
            yield from texts_in(each)


def test_what_is_waited_for_in_vain_shows_no_key(api: Api) -> None:
    live(api)

    answer = api.control("GET", "journal/wait?count=999&timeout=1ms")

    assert answer.status_code == 408
    assert len(answer.json()["entries"]) > 9
    assert api.key not in answer.text


@pytest.mark.parametrize("path", ["journal", "journal?format=har", "sandbox/snapshot"])
def test_a_short_key_is_hidden_where_it_is_sent_as_a_key(mock: RunningMock, path: str) -> None:
    api = mock.api("k7")
    api.balance()

    assert "Bearer k7" not in api.control("GET", path).text
    assert api.control("DELETE", "sandbox").status_code == 204
