"""The arguments of the constructors, and their defaults from the environment."""

from typing import Any

import httpx
import pytest

from client_reference import AsyncClient, Client, Polling
from client_reference.connection import PUBLIC_URL
from tests.client_reference.driver import Driver
from tests.client_reference.scripted import (
    BASE_URL,
    KEY,
    Service,
    VirtualTime,
    accepts,
    says,
    told,
)

both_kinds = pytest.mark.parametrize("kind", [Client, AsyncClient])
ROUTES = {"balance": "/api/v1/apikeys/current-balance"}


def asked(driver: Driver, **options: Any) -> httpx.Request:
    service = Service(balance=[says(200, 1)])
    driver.client(service, **options).balance()
    return service.requests[0]


def test_constructor_arguments_are_used(driver: Driver) -> None:
    request = asked(driver, api_key="my-key", user_agent="my program/1.0")

    assert request.headers["Authorization"] == "Bearer my-key"
    assert request.headers["User-Agent"] == "my program/1.0"
    assert request.headers["Accept"] == "application/json"
    assert str(request.url) == BASE_URL + ROUTES["balance"]


def test_missing_arguments_come_from_the_environment(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APIXO_API_KEY", " env-key\n")
    monkeypatch.setenv("APIXO_BASE_URL", "http://env.test/api/v1")

    request = asked(driver, api_key=None, base_url=None)

    assert request.headers["Authorization"] == "Bearer env-key"
    assert str(request.url) == "http://env.test" + ROUTES["balance"]


def test_arguments_take_precedence_over_the_environment(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APIXO_API_KEY", "env-key")
    monkeypatch.setenv("APIXO_BASE_URL", "no address")

    request = asked(driver)

    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert request.url.host == "service.test"


@pytest.mark.parametrize("value", [None, "", "  "])
def test_default_base_url_is_the_public_service(
    driver: Driver, monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.delenv("APIXO_BASE_URL", raising=False)
    if value is not None:
        monkeypatch.setenv("APIXO_BASE_URL", value)

    assert str(asked(driver, base_url=None).url) == PUBLIC_URL + ROUTES["balance"]


@pytest.mark.parametrize(
    ("base_url", "root"),
    [
        ("http://service.test", "http://service.test"),
        ("http://service.test/", "http://service.test"),
        ("http://service.test/api/v1", "http://service.test"),
        ("http://service.test/api/v1/", "http://service.test"),
        ("https://service.test:8443//", "https://service.test:8443"),
        ("http://service.test/proxy/apixo", "http://service.test/proxy/apixo"),
        ("http://service.test/proxy/api/v1", "http://service.test/proxy"),
        ("http://[::1]:8080/api/v1", "http://[::1]:8080"),
    ],
)
def test_base_url_may_end_in_the_version(base_url: str, root: str) -> None:
    with Client(KEY, base_url) as client:
        assert repr(client) == f"Client(base_url={root!r})"


@both_kinds
def test_missing_api_key_error_names_the_variable(
    kind: type[Client] | type[AsyncClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("APIXO_API_KEY", raising=False)

    with pytest.raises(ValueError, match="APIXO_API_KEY"):
        kind()


@both_kinds
@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("api_key", value) for value in ("", "  ", "two words", "ключ", "a\nb", "a\x00b")),
        *(
            ("base_url", value)
            for value in (
                "", "service.test", "ftp://service.test", "http://", "http://host:0",
                "http://host:99999", "http://host/?a=b", "http://host/#a", "http://ho st", "http://[::1",
                "http://me:secret@host", "http://me@host", " http://host",
            )
        ),
        *(("timeout", value) for value in (0, -1, "30", None, float("nan"), float("inf"), True)),
        *(("max_retries", value) for value in (-1, 1.0, "4", None, True)),
        *(("user_agent", value) for value in ("naïve", "a\r\nb", "a\x00b")),
        *(("user_agent", value) for value in (" a", "a ", "\ta", "a\n", " ")),
        ("transport", httpx.MockTransport(says(200))),
    ],
)  # fmt: skip
def test_invalid_constructor_argument_is_rejected_by_name(
    kind: type[Client] | type[AsyncClient], name: str, value: Any
) -> None:
    options: dict[str, Any] = {"api_key": KEY, "base_url": BASE_URL, name: value}
    if name == "transport":
        options["http_client"] = httpx.Client()

    with pytest.raises(ValueError, match=rf"^{name}: ") as caught:
        kind(**options)

    assert "secret" not in str(caught.value)


def test_invalid_base_url_variable_is_named(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APIXO_BASE_URL", "nowhere")

    with pytest.raises(ValueError, match=r"^APIXO_BASE_URL: "):
        driver.client(Service(), base_url=None)


def test_polling_can_be_configured(driver: Driver, time: VirtualTime) -> None:
    polling = Polling(first_s=5, every_s=2, usual_s=10, growth=2, max_s=6)
    service = Service(submit=[accepts()], status=[told("processing")])
    client = driver.client(service, time, polling=polling)

    with pytest.raises(Exception, match="still processing"):
        client.generate("a fox", timeout=30)

    assert time.pauses == [5, 2, 2, 2, 4, 6, 6, 3]


def test_callers_http_client_is_used_and_not_closed(driver: Driver) -> None:
    http = driver.http_client(Service(balance=[says(200, 1)]), headers={"X-Team": "foxes"})
    client = driver.over(None, http_client=http)

    client.balance()
    client.close()

    assert not http.is_closed


def test_own_http_client_is_closed_with_the_client() -> None:
    with Client(KEY) as client:
        http = client._http

        assert not http.is_closed

    assert http.is_closed


async def _closed() -> bool:
    async with AsyncClient(KEY) as client:
        http = client._http
    return http.is_closed


def test_own_http_client_is_closed_with_the_async_client(driver: Driver) -> None:
    assert driver.run(_closed())


def test_default_user_agent_names_the_library(driver: Driver) -> None:
    assert asked(driver).headers["User-Agent"].startswith("apixo-client-reference")
