"""Any response gives a value or an error of the tree: no KeyError, no error of httpx."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from client_reference import ApixoError, Client, UnexpectedResponse, parse_callback
from tests.client_reference.driver import Driver
from tests.client_reference.scripted import CALLS, RESULT_URL, breaks, raw, responding, result_json

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(200, 600)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        ["success", "failed", "pending", "task_1", result_json(RESULT_URL), "{", "[]"]
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
MEMBERS = ("taskId", "state", "resultJson", "failCode", "failMsg", "createTime", "costTime")
datas = st.fixed_dictionaries({}, optional=dict.fromkeys(MEMBERS, anything))
envelopes = st.fixed_dictionaries(
    {}, optional={"code": st.just(200) | anything, "message": anything, "data": datas | anything}
)
written = (envelopes | anything).map(lambda value: json.dumps(value).encode()) | st.binary()


@given(body=written, status=st.sampled_from([200, 200, 200, 201, 302, 400, 429, 500]))
def test_any_response_gives_a_value_or_an_error_of_the_tree(
    driver: Driver, body: bytes, status: int
) -> None:
    client = driver.client(responding(raw(status, body)), max_retries=0)
    calls: list[Callable[[], object]] = [
        lambda: client.submit("a fox"),
        lambda: client.status("task_1"),
        client.balance,
        lambda: client.generate("a fox", timeout=0),
    ]
    for call in calls:
        with suppress(ApixoError):
            call()


@given(body=written)
def test_any_callback_gives_a_task_or_unexpected_response(body: bytes) -> None:
    with suppress(UnexpectedResponse):
        task = parse_callback(body)

        assert task.id
        assert bool(task.result_urls) == (task.state == "success")


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError, httpx.ReadError, httpx.WriteError, httpx.CloseError,
        httpx.LocalProtocolError, httpx.RemoteProtocolError, httpx.ProxyError,
        httpx.UnsupportedProtocol, httpx.ConnectTimeout, httpx.ReadTimeout, httpx.WriteTimeout,
        httpx.PoolTimeout, httpx.DecodingError, httpx.TooManyRedirects,
    ],
)  # fmt: skip
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_httpx_errors_are_translated(
    driver: Driver, error: Any, call: Callable[[Client], object]
) -> None:
    with pytest.raises(ApixoError) as caught:
        call(driver.client(responding(breaks(error)), max_retries=1))

    assert not isinstance(caught.value.__cause__, httpx.HTTPError)
