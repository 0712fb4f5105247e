"""Control of the server as a whole: health, ready, info, all sandboxes."""

import asyncio

import httpx
import pytest

from mock_server.settings import Settings
from mock_server.version import __version__
from mock_server.wiring import MockServer
from tests.mock_server.conftest import MakeReceiver, Serve
from tests.mock_server.e2e.api import BALANCE, Api
from tests.mock_server.e2e.serving import RunningMock

LOOPBACK = ["127.0.0.1", "127.8.8.8", "::1", "localhost", "LocalHost"]
ELSEWHERE = ["0.0.0.0", "::", "10.0.0.5", "192.168.1.7", "mock.example", "127.0.0.1.example.com"]


def ask_without_binding(
    settings: Settings, path: str, *, method: str = "GET", token: str | None = None
) -> httpx.Response:
    """Ask an application that was told to bind to any host, and listens nowhere."""
    transport = httpx.ASGITransport(MockServer(settings))
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url="http://mock") as http:
            return await http.request(method, path, headers=headers)

    return asyncio.run(ask())


@pytest.mark.parametrize("path", ["health", "ready"])
def test_a_running_server_is_well_and_ready_and_says_so_to_everybody(
    mock: RunningMock, path: str
) -> None:
    answer = mock.http.get(f"/_mock/{path}")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert mock.http.head(f"/_mock/{path}").status_code == 200


def test_a_server_that_has_not_started_yet_is_well_but_not_ready() -> None:
    settings = Settings()

    ready = ask_without_binding(settings, "/_mock/ready")

    assert (ready.status_code, ready.json()["code"]) == (503, 503)
    assert ready.json()["data"]["error"] == "the server is starting"
    assert ask_without_binding(settings, "/_mock/health").status_code == 200


def test_info_tells_how_the_server_was_started(serve: Serve) -> None:
    mock = serve(Settings(seed=17, rate_limit=5, strict=True, balance_microusd=2_500_000))

    info = mock.http.get("/_mock/info").json()

    assert info["version"] == __version__
    assert info["base_url"] == mock.url
    assert info["seed"] == 17
    assert info["profile"] == "calm"
    shown = {name: info["settings"][name] for name in ("rate_limit", "strict", "balance", "clock")}
    assert shown == {"rate_limit": 5, "strict": True, "balance": 2.5, "clock": "real"}


def test_a_public_address_is_the_base_of_the_server(serve: Serve) -> None:
    mock = serve(Settings(public_url="https://mock.example"))

    assert mock.http.get("/_mock/info").json()["base_url"] == "https://mock.example"


def test_a_seed_that_nobody_chose_is_told(serve: Serve) -> None:
    first, second = serve(Settings()), serve(Settings())
    seeds = [each.http.get("/_mock/info").json()["seed"] for each in (first, second)]

    assert all(isinstance(seed, int) for seed in seeds)
    assert seeds[0] != seeds[1]


def test_all_sandboxes_are_listed_by_id_with_their_counters(serve: Serve) -> None:
    mock = serve(Settings())
    first, second = mock.api("sk-first"), mock.api("sk-second")
    first.submit()
    second.balance()

    answer = mock.http.get("/_mock/sandboxes")

    shown = {each["id"]: each["counters"] for each in answer.json()["sandboxes"]}
    assert set(shown) == {api.told("GET", "sandbox")["id"] for api in (first, second)}
    assert sorted(each["live_tasks"] for each in shown.values()) == [0, 1]
    assert "sk-" not in answer.text


def test_all_sandboxes_can_be_dropped_at_once(serve: Serve) -> None:
    mock = serve(Settings(clock="manual", seed=7))
    api = mock.api("sk-first")
    task_id = api.submit()
    api.change(rate_limit=3)
    dropped = mock.http.delete("/_mock/sandboxes")

    assert (dropped.status_code, dropped.content) == (204, b"")
    assert mock.http.get("/_mock/sandboxes").json() == {"sandboxes": []}
    assert api.ask(task_id).status_code == 404
    assert api.told("GET", "sandbox")["settings"]["rate_limit"] == 10_000
    assert api.submit() == task_id


@pytest.mark.parametrize(
    "given",
    [b"", b"hush", b"Basic hush", b"Bearer", b"Bearer hus", b"Bearer hush2", b"Bearer HUSH",
     b"Bearer sk-key", b"Bearer \xfc"],
)  # fmt: skip
def test_with_a_token_only_its_holder_may_touch_all_sandboxes(serve: Serve, given: bytes) -> None:
    http = serve(Settings(admin_token="hush")).http
    wrong, right = {b"Authorization": given}, {"Authorization": "Bearer hush"}

    assert http.get("/_mock/sandboxes").status_code == 401
    assert http.get("/_mock/sandboxes", headers=wrong).status_code == 401
    assert http.delete("/_mock/sandboxes", headers=wrong).status_code == 401
    assert http.get("/_mock/sandboxes", headers=right).status_code == 200
    assert http.delete("/_mock/sandboxes", headers=right).status_code == 204


def test_the_token_does_not_guard_what_is_a_keys_own(serve: Serve) -> None:
    mock = serve(Settings(admin_token="hush"))

    assert mock.api("sk-key").control("GET", "sandbox").status_code == 200
    assert mock.http.get("/_mock/info").status_code == 200


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("host", ELSEWHERE)
def test_bound_elsewhere_without_a_token_all_sandboxes_stay_closed(host: str, method: str) -> None:
    refused = ask_without_binding(Settings(host=host), "/_mock/sandboxes", method=method)

    assert (refused.status_code, refused.json()["code"]) == (403, 403)
    assert host in refused.json()["data"]["error"]
    assert "--admin-token" in refused.json()["data"]["error"]


def test_bound_elsewhere_the_token_opens() -> None:
    settings = Settings(host="0.0.0.0", admin_token="hush")

    assert ask_without_binding(settings, "/_mock/sandboxes").status_code == 401
    assert ask_without_binding(settings, "/_mock/sandboxes", token="hush").status_code == 200


@pytest.mark.parametrize("host", LOOPBACK)
def test_bound_to_loopback_no_token_is_needed(host: str) -> None:
    assert ask_without_binding(Settings(host=host), "/_mock/sandboxes").status_code == 200


def test_no_secret_is_ever_shown(
    serve: Serve, make_receiver: MakeReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    settings = Settings(
        clock="manual", api_key=("sk-secret-1", "sk-secret-2"), admin_token="hush-hush"
    )
    mock = serve(settings)
    receiver = make_receiver()
    receiver.answer(500)
    api = mock.api("sk-secret-1")
    task_id = api.submit(callback_url=receiver.url())
    api.advance("3m")
    Api(mock.http, "sk-secret-3").send("GET", BALANCE)
    shown = [
        repr(settings),
        str(settings),
        f"{settings.shown()}",
        mock.http.get("/_mock/info").text,
        mock.http.get("/_mock/sandboxes").text,
        mock.http.get("/_mock/sandboxes", headers={"Authorization": "Bearer hush-hush"}).text,
        *(
            api.control("GET", path).text
            for path in ("sandbox", "clock", "tasks", f"tasks/{task_id}", "callbacks")
        ),
    ]
    logged = [each for each in caplog.records if each.name.split(".")[0] == "mock_server"]
    shown += [each.getMessage() for each in logged]

    assert logged
    assert not [text for text in shown if "sk-secret" in text or "hush" in text]
