"""Result pictures over HTTP (RES-1 … RES-3): validators, ranges, expiry."""

import pytest

from mock_server.settings import Settings
from tests.mock_server.conftest import Serve
from tests.mock_server.e2e.api import Api
from tests.mock_server.e2e.serving import RunningMock

AT_ONCE = "[[mock pending=0 processing=0]] a fox"


@pytest.fixture
def url(api: Api) -> str:
    return api.result_urls(api.submit(AT_ONCE))[0]


def test_a_result_needs_no_key(mock: RunningMock, url: str) -> None:
    assert mock.http.get(url).status_code == 200
    assert mock.http.get(url, headers={"Authorization": "Bearer sk-invalid"}).status_code == 200


def test_a_head_request_gets_the_headers_and_no_picture(mock: RunningMock, url: str) -> None:
    whole, head = mock.http.get(url), mock.http.head(url)

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(whole.content))
    assert head.headers["etag"] == whole.headers["etag"]
    assert head.headers["accept-ranges"] == "bytes"


@pytest.mark.parametrize(
    "written",
    [
        pytest.param("{}", id="its-tag"),
        pytest.param("W/{}", id="its-tag-made-weak"),
        pytest.param('"other", {}', id="one-of-several-tags"),
        pytest.param("*", id="any-tag"),  # RFC 9110, section 13.1.2
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_picture_that_the_client_has_is_not_sent_again(
    mock: RunningMock, url: str, method: str, written: str
) -> None:
    etag = mock.http.get(url).headers["etag"]

    answer = mock.http.request(method, url, headers={"If-None-Match": written.format(etag)})

    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == etag
    assert "content-type" not in answer.headers


def test_a_picture_that_the_client_does_not_have_is_sent(mock: RunningMock, url: str) -> None:
    answer = mock.http.get(url, headers={"If-None-Match": '"another"'})

    assert answer.status_code == 200
    assert answer.content


def test_every_picture_has_an_etag_of_its_own(mock: RunningMock, api: Api) -> None:
    urls = api.result_urls(api.submit(AT_ONCE, num_images=4))

    assert len({mock.http.get(each).headers["etag"] for each in urls}) == 4


@pytest.mark.parametrize(
    ("written", "part"),
    [
        pytest.param("bytes=0-99", slice(0, 100), id="first-hundred"),
        pytest.param("bytes=100-", slice(100, None), id="from-a-place"),
        pytest.param("bytes=-50", slice(-50, None), id="last-fifty"),
        pytest.param("bytes=7-7", slice(7, 8), id="one-byte"),
        pytest.param("bytes=10-999999999", slice(10, None), id="beyond-the-end"),
        pytest.param("bytes=-999999999", slice(0, None), id="more-than-all-from-the-end"),
    ],
)
def test_a_single_range_gets_its_part(
    mock: RunningMock, url: str, written: str, part: slice
) -> None:
    whole = mock.http.get(url).content

    answer = mock.http.get(url, headers={"Range": written})

    first = part.indices(len(whole))[0]
    last = first + len(whole[part]) - 1
    assert (answer.status_code, answer.content) == (206, whole[part])
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(whole)}"
    assert answer.headers["content-length"] == str(len(whole[part]))


@pytest.mark.parametrize("written", ["bytes=999999999-", "bytes=999999999-9999999999", "bytes=-0"])
def test_a_range_behind_the_end_cannot_be_satisfied(
    mock: RunningMock, url: str, written: str
) -> None:
    size = len(mock.http.get(url).content)

    answer = mock.http.get(url, headers={"Range": written})

    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{size}"


@pytest.mark.parametrize(
    "written",
    ["bytes=0-1,5-9", "bytes=9-5", "bytes=-", "bytes=a-b", "items=0-5", "0-5", "", "bytes=0x1-2"],
)
def test_other_forms_of_range_are_ignored(mock: RunningMock, url: str, written: str) -> None:
    answer = mock.http.get(url, headers={"Range": written})

    assert answer.status_code == 200
    assert answer.content == mock.http.get(url).content


def test_a_range_of_another_version_gets_the_whole(mock: RunningMock, url: str) -> None:
    etag = mock.http.get(url).headers["etag"]

    of_this = mock.http.get(url, headers={"Range": "bytes=0-9", "If-Range": etag})
    of_another = mock.http.get(url, headers={"Range": "bytes=0-9", "If-Range": '"old"'})

    assert (of_this.status_code, of_another.status_code) == (206, 200)


def test_a_head_request_has_no_range(mock: RunningMock, url: str) -> None:
    head = mock.http.head(url, headers={"Range": "bytes=0-9"})

    assert head.status_code == 200
    assert head.headers["content-length"] == str(len(mock.http.get(url).content))


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_result_is_gone_after_fifteen_days_and_not_before(
    mock: RunningMock, api: Api, url: str, method: str
) -> None:
    api.advance("15d")
    api_before = mock.api(f"{api.key}-before")
    still = api_before.result_urls(api_before.submit(AT_ONCE))[0]
    api_before.advance(15 * 86_400 - 0.001)

    assert mock.http.request(method, url).status_code == 410
    assert mock.http.request(method, still).status_code == 200


def test_a_gone_result_says_so_in_the_envelope(mock: RunningMock, api: Api, url: str) -> None:
    api.advance("16d")

    answer = mock.http.get(url, headers={"Range": "bytes=0-9", "If-None-Match": "*"})

    assert answer.status_code == 410
    assert answer.json() == {
        "code": 410,
        "message": "Gone",
        "data": {"error": "the result has expired"},
    }


def test_the_lifetime_of_results_can_be_chosen(serve: Serve) -> None:
    mock = serve(Settings(clock="manual", result_ttl_ms=86_400_000))
    api = mock.api("sk-key")
    url = api.result_urls(api.submit(AT_ONCE))[0]
    before = mock.http.get(url).status_code
    api.advance("1d")

    assert (before, mock.http.get(url).status_code) == (200, 410)
