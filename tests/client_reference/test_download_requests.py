"""Requests to the host of results say nothing about the caller (RES-3)."""

from pathlib import Path

import httpx
import pytest

from client_reference import UnexpectedResponse
from client_reference.downloading import Download
from client_reference.timeline import Timeline
from tests.client_reference.driver import Driver
from tests.client_reference.pictures import PNG, generation, gives
from tests.client_reference.scripted import KEY, RESULT_URL, Service, VirtualTime, raw, says


def test_result_host_gets_no_key_and_no_headers_of_the_caller(
    driver: Driver, tmp_path: Path
) -> None:
    service = Service(
        balance=[says(200, 1, headers={"Set-Cookie": "session=1; Domain=test"})],
        result=[gives(PNG)],
    )
    http = driver.http_client(
        service,
        headers={"Authorization": f"Bearer {KEY}", "X-Api-Key": KEY},
        params={"key": KEY},
        cookies={"session": KEY},
        auth=("user", KEY),
    )
    client = driver.over(None, http_client=http)
    client.balance()

    client.download(generation(), tmp_path)

    (request,) = service.asked("result")
    assert str(request.url) == RESULT_URL
    assert set(request.headers) == {"host", "user-agent", "accept", "accept-encoding"}
    assert KEY not in repr(request.headers.raw)
    assert set(request.extensions["timeout"].values()) == {30.0}
    assert service.asked("balance")[0].headers["Authorization"] == f"Bearer {KEY}"


def test_redirected_download_sends_no_key(driver: Driver, tmp_path: Path) -> None:
    moved = raw(302, b"", {"Location": "http://results.test/moved.png", "Set-Cookie": "a=b"})
    service = Service(result=[moved, gives(PNG)])
    http = driver.http_client(
        service, headers={"X-Api-Key": KEY}, params={"key": KEY}, cookies={"session": KEY}
    )

    (file,) = driver.over(None, http_client=http).download(generation(), tmp_path)

    assert file.read_bytes() == PNG
    assert str(service.requests[1].url) == "http://results.test/moved.png"
    assert not any(KEY in repr(request.headers.raw) for request in service.requests)


@pytest.mark.parametrize("hops", [1, 9])
def test_nine_redirects_are_followed(driver: Driver, tmp_path: Path, hops: int) -> None:
    moved = raw(307, b"", {"Location": "../elsewhere.png"})
    service = Service(result=[*[moved] * hops, gives(PNG)])

    (file,) = driver.client(service).download(generation(), tmp_path)

    assert file.read_bytes() == PNG
    assert str(service.requests[-1].url) == "http://results.test/elsewhere.png"


def test_ten_redirects_are_rejected(driver: Driver, tmp_path: Path) -> None:
    service = Service(result=[raw(307, b"", {"Location": RESULT_URL})])

    with pytest.raises(UnexpectedResponse, match="more than 10 redirects"):
        driver.client(service).download(generation(), tmp_path)

    assert len(service.requests) == 10


def test_redirect_to_an_invalid_url_is_unexpected(tmp_path: Path) -> None:
    download = Download(Timeline(VirtualTime().clock), timeout_s=30.0, max_retries=0)
    flow = download.save_all(generation(), tmp_path)
    next(flow)

    with pytest.raises(UnexpectedResponse, match="invalid URL"):
        flow.send(httpx.Response(302, headers={"Location": "http://[::"}))

    assert list(tmp_path.iterdir()) == []
