"""Where results are found, and where not (RES-1 … RES-3)."""

from urllib.parse import urlsplit

import pytest

from mock_server.settings import Settings
from mock_server.web.base_urls import on_another_host
from tests.mock_server.conftest import Serve
from tests.mock_server.e2e.api import SUBMIT, Api
from tests.mock_server.e2e.serving import RunningMock
from tests.mock_server.e2e.wire import exchange

AT_ONCE = "[[mock pending=0 processing=0]] a fox"


@pytest.fixture
def url(api: Api) -> str:
    return api.result_urls(api.submit(AT_ONCE))[0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("/1-", "/2-", id="a-picture-too-many"),
        pytest.param("/1-", "/0-", id="picture-zero"),
        pytest.param("/1-", "/01-", id="another-spelling"),
        pytest.param("/1-", f"/{'1' * 5000}-", id="a-huge-number"),
        pytest.param(".png", ".jpg", id="another-type"),
        pytest.param(".png", "", id="no-type"),
        pytest.param(".png", ".png/", id="a-slash-more"),
        pytest.param("task_", "task_0", id="another-task"),
        pytest.param("/results/", "/results//", id="two-slashes"),
    ],
)
def test_a_guessed_address_is_not_found(mock: RunningMock, url: str, old: str, new: str) -> None:
    answer = mock.http.get(url.replace(old, new))

    assert (answer.status_code, answer.json()["code"]) == (404, 404)


def test_the_secret_of_one_picture_does_not_open_another(mock: RunningMock, api: Api) -> None:
    first, second = api.result_urls(api.submit(AT_ONCE, num_images=2))
    guessed = first.rpartition("/")[0] + "/2-" + first.rpartition("-")[2]

    assert guessed != second
    assert mock.http.get(guessed).status_code == 404


def test_results_are_on_another_host_if_the_sandbox_says_so(mock: RunningMock, api: Api) -> None:
    before = urlsplit(api.result_urls(api.submit(AT_ONCE))[0])
    api.change(result_host="other")
    after = urlsplit(api.result_urls(api.submit(AT_ONCE))[0])

    assert before.hostname == "127.0.0.1"
    assert (after.hostname, after.port) == ("localhost", before.port)
    assert mock.http.get(after.path).status_code == 200


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "http://127.0.0.1:8080/a?b=http://localhost",
            "http://localhost:8080/a?b=http://localhost",
        ),
        ("https://[::1]:8080", "https://localhost:8080"),
        ("http://LocalHost", "http://127.0.0.1"),
        ("http://mock:8080", "http://mock:8080"),
    ],
)
def test_another_host_is_another_name_of_the_same_machine(url: str, expected: str) -> None:
    assert on_another_host(url) == expected


@pytest.mark.parametrize(
    ("prompt", "count"),
    [
        pytest.param("[[mock hold]]", 2, id="of-a-task-under-way"),
        pytest.param("[[mock fail=NSFW pending=0 processing=0]]", 2, id="of-a-failed-task"),
        pytest.param(AT_ONCE, 1, id="beyond-the-last"),
    ],
)
def test_a_picture_that_was_not_made_is_not_found_though_its_address_is_right(
    serve: Serve, mock: RunningMock, api: Api, prompt: str, count: int
) -> None:
    """The first task of a server with the same seed has the same addresses."""
    twin = serve(Settings(clock="manual", seed=7)).api(api.key)
    second = twin.result_urls(twin.submit(AT_ONCE, num_images=2))[1]
    api.submit(prompt, num_images=count)

    assert twin.http.get(second).status_code == 200
    assert mock.http.get(urlsplit(second).path).status_code == 404


@pytest.mark.parametrize("base", ["https://cdn.example.com", "http://mock:8080/images"])
def test_addresses_are_built_from_the_public_address_when_there_is_one(
    serve: Serve, base: str
) -> None:
    mock = serve(Settings(public_url=base, generation_time_ms=0))
    api = mock.api("sk-key")

    [url] = api.result_urls(api.submit())

    assert url.startswith(f"{base}/results/")
    assert mock.http.get(url.removeprefix(base)).status_code == 200


@pytest.mark.parametrize("host", ["mock", "mock:8080", "10.1.2.3:80", "[::1]:8080", "my_host.lan"])
def test_addresses_are_built_from_the_host_that_the_client_used(api: Api, host: str) -> None:
    assert base_of_results(api, host) == f"http://{host}"


@pytest.mark.parametrize(
    "host",
    [
        'evil"host', "evil.example/path", "user@evil.example", "a b", "evil.example?x=1",
        "<script>", "evil.example#", "evil\\host", "[::1", "host:port", "",
        "evil.example:80:80", "a,b",
    ],
)  # fmt: skip
def test_a_hostile_host_header_is_not_used(mock: RunningMock, api: Api, host: str) -> None:
    assert base_of_results(api, host) == mock.url


def test_a_request_without_host_gets_the_servers_own_address(mock: RunningMock, api: Api) -> None:
    body = b'{"input":{"prompt":"[[mock pending=0 processing=0]]"}}'
    request = (
        f"POST {SUBMIT} HTTP/1.0\r\nAuthorization: Bearer {api.key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )

    answer, _ = exchange(mock, request.encode() + body)

    task_id = api.told("GET", "tasks")["tasks"][0]["task_id"]
    assert answer.status == 200
    assert api.result_urls(task_id)[0].startswith(f"{mock.url}/results/")


def base_of_results(api: Api, host: str) -> str:
    answer = api.send(
        "POST",
        SUBMIT,
        body={"input": {"prompt": AT_ONCE}},
        headers={"Host": host},
    )
    [url] = api.result_urls(answer.json()["data"]["taskId"])
    return url.partition("/results/")[0]


def test_a_rejected_snapshot_changes_no_address(serve: Serve) -> None:
    """The snapshot of another seed would give the same tasks other addresses."""
    mock = serve(Settings(clock="manual", seed=7, max_tasks=2))
    api = mock.api("one")
    for _ in range(2):
        api.submit("[[mock hold]]")
    too_large = api.told("GET", "sandbox/snapshot") | {"seed": 8}
    api.control("DELETE", "sandbox")
    [url] = api.result_urls(api.submit(AT_ONCE))
    mock.api("two").submit("[[mock hold]]")

    assert api.control("PUT", "sandbox/snapshot", too_large).status_code == 409
    assert mock.http.get(url).status_code == 200


def test_snapshot_restored_under_another_key_does_not_change_the_addresses_of_this_key(
    mock: RunningMock, api: Api
) -> None:
    [url] = api.result_urls(api.submit(AT_ONCE))
    forged = api.told("GET", "sandbox/snapshot") | {"seed": 8}

    assert mock.api("another").control("PUT", "sandbox/snapshot", forged).status_code == 204
    assert api.result_urls(api.told("GET", "tasks")["tasks"][0]["task_id"]) == [url]
    assert mock.http.get(url).status_code == 200


def test_restored_snapshot_keeps_its_addresses_and_its_pictures(serve: Serve, api: Api) -> None:
    [url] = api.result_urls(api.submit(AT_ONCE))
    taken = api.told("GET", "sandbox/snapshot")
    other = serve(Settings(clock="manual", seed=8)).api("another")

    assert other.control("PUT", "sandbox/snapshot", taken).status_code == 204
    assert other.result_urls(taken["tasks"][0]["id"]) == [url]
    assert other.http.get(urlsplit(url).path).content == api.http.get(url).content


def test_pictures_of_two_keys_are_served_after_a_snapshot_of_another_server(
    serve: Serve, mock: RunningMock, api: Api
) -> None:
    """The key exists here, too, with another seed and so with other tasks."""
    elsewhere = serve(Settings(clock="manual", seed=8)).api(api.key)
    [theirs] = elsewhere.result_urls(elsewhere.submit(AT_ONCE))
    [ours] = api.result_urls(api.submit(AT_ONCE))
    taken = elsewhere.told("GET", "sandbox/snapshot")

    assert mock.api("another").control("PUT", "sandbox/snapshot", taken).status_code == 204
    assert mock.http.get(ours).status_code == 200
    served = mock.http.get(urlsplit(theirs).path)
    assert served.content == elsewhere.http.get(theirs).content


def test_picture_of_a_restored_task_is_served_while_the_original_task_is_pending(
    mock: RunningMock, api: Api
) -> None:
    task_id = api.submit()
    taken = api.told("GET", "sandbox/snapshot")
    restored = mock.api("restored")
    assert restored.control("PUT", "sandbox/snapshot", taken).status_code == 204
    restored.advance(1000)
    [url] = restored.result_urls(task_id)

    assert api.status(task_id)["state"] == "pending"
    assert mock.http.get(url).status_code == 200


def test_forged_snapshot_hides_no_picture_of_another_restored_sandbox(
    serve: Serve, mock: RunningMock, api: Api
) -> None:
    """The snapshot with another seed is restored last, and the original sandbox is not here."""
    elsewhere = serve(Settings(clock="manual", seed=8)).api("sk-elsewhere")
    elsewhere.submit(AT_ONCE)
    taken = elsewhere.told("GET", "sandbox/snapshot")
    honest, forging = mock.api("honest"), mock.api("forging")
    assert honest.control("PUT", "sandbox/snapshot", taken).status_code == 204
    path = urlsplit(honest.result_urls(taken["tasks"][0]["id"])[0]).path

    assert forging.control("PUT", "sandbox/snapshot", taken | {"seed": 9}).status_code == 204
    assert mock.http.get(path).status_code == 200
    assert mock.http.get(path.replace(path[-20:], f"{'0' * 16}.png")).status_code == 404
