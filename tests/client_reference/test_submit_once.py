"""A submit that may have been accepted is not retried: the API has no idempotency key."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from client_reference import (
    ApixoError,
    InvalidRequest,
    PermissionDenied,
    RateLimited,
    SubmissionUncertain,
    Task,
    TransportError,
    UnexpectedResponse,
)
from tests.client_reference.driver import Driver
from tests.client_reference.scripted import (
    Answer,
    Parts,
    Service,
    VirtualTime,
    accepts,
    breaks,
    raw,
    says,
)

RETRIES = 3


@dataclass(frozen=True, slots=True)
class Happening:
    """What may become of one submit, and what a client may think of it."""

    name: str
    answer: Answer
    is_doubtful: bool = False
    is_worth_repeating: bool = True

    def __repr__(self) -> str:
        return self.name


def _cut(request: httpx.Request) -> httpx.Response:
    lost = httpx.RemoteProtocolError("peer closed connection", request=request)
    return httpx.Response(200, stream=Parts(b'{"code": 200, "da', breaks_with=lost))


surely_not = Happening
refused = partial(Happening, is_worth_repeating=False)
doubtful = partial(Happening, is_doubtful=True)
final = partial(Happening, is_doubtful=True, is_worth_repeating=False)

HARMLESS = [
    surely_not("429", says(429)),
    surely_not("429 and when", says(429, headers={"Retry-After": "7"})),
    surely_not("429 in the envelope", says(429, status=200)),
    surely_not("connection refused", breaks(httpx.ConnectError)),
    surely_not("no connection in time", breaks(httpx.ConnectTimeout)),
    surely_not("no free connection", breaks(httpx.PoolTimeout)),
    refused("400", says(400)),
    refused("401", says(401)),
]
DOUBTFUL = [
    doubtful("500", says(500)),
    doubtful("502 of a proxy", raw(502, b"<html>bad gateway</html>")),
    doubtful("503 and when", says(503, headers={"Retry-After": "1"})),
    doubtful("504", says(504)),
    doubtful("500 in the envelope", says(500, status=200)),
    doubtful("lost answer", breaks(httpx.ReadError)),
    doubtful("broken while sending", breaks(httpx.WriteError)),
    doubtful("closed without an answer", breaks(httpx.RemoteProtocolError)),
    doubtful("no answer in time", breaks(httpx.ReadTimeout)),
    doubtful("not sent in time", breaks(httpx.WriteTimeout)),
    doubtful("cut in the body", _cut),
    final("501", says(501)),
    final("empty", raw(200, b"")),
    final("HTML", raw(200, b"<html>hello</html>")),
    final("no task id", says(200, {})),
    final("bad gzip", raw(200, b"no gzip", {"Content-Encoding": "gzip"})),
    final("a redirect", raw(307, b"", {"Location": "/elsewhere"})),
    final("no content", raw(204, b"")),
]
ACCEPTED = refused("accepted", accepts())
scripts = st.lists(st.sampled_from([*HARMLESS, *DOUBTFUL, ACCEPTED]), max_size=6)


def _submit(
    driver: Driver, script: Sequence[Happening], *, retry_submit: bool = False
) -> tuple[list[Happening], Task | ApixoError]:
    """Return what has happened, and what came of it."""
    service = Service(submit=[happening.answer for happening in (*script, ACCEPTED)])
    client = driver.client(service, VirtualTime(), max_retries=RETRIES, retry_submit=retry_submit)
    came: Task | ApixoError
    try:
        came = client.submit("a fox")
    except ApixoError as error:
        came = error
    return [*script, ACCEPTED][: len(service.requests)], came


@given(script=scripts)
def test_submit_is_not_repeated_once_it_may_have_been_accepted(
    driver: Driver, script: Sequence[Happening]
) -> None:
    happened, came = _submit(driver, script)

    assert not any(happening.is_doubtful for happening in happened[:-1])
    assert isinstance(came, SubmissionUncertain) == happened[-1].is_doubtful
    assert isinstance(came, Task) == (happened[-1] is ACCEPTED)


@given(script=scripts)
def test_submit_that_was_not_accepted_is_retried(
    driver: Driver, script: Sequence[Happening]
) -> None:
    happened, _ = _submit(driver, script)

    ends = [
        position
        for position, happening in enumerate([*script, ACCEPTED])
        if happening.is_doubtful or not happening.is_worth_repeating
    ]
    assert len(happened) == min(ends[0], RETRIES) + 1


@given(script=scripts)
def test_retry_submit_retries_uncertain_submits(
    driver: Driver, script: Sequence[Happening]
) -> None:
    happened, came = _submit(driver, script, retry_submit=True)

    ends = [
        position
        for position, happening in enumerate([*script, ACCEPTED])
        if not happening.is_worth_repeating
    ]
    assert len(happened) == min(ends[0], RETRIES) + 1
    has_doubts = any(happening.is_doubtful for happening in happened)
    is_accepted = happened[-1] is ACCEPTED
    assert isinstance(came, SubmissionUncertain) == (has_doubts and not is_accepted)


@pytest.mark.parametrize("happening", DOUBTFUL, ids=repr)
def test_submission_uncertain_names_its_cause(driver: Driver, happening: Happening) -> None:
    _, came = _submit(driver, [happening])

    assert isinstance(came, SubmissionUncertain)
    assert "may have been accepted" in str(came)
    assert isinstance(came.__cause__, ApixoError)
    assert not isinstance(came.__cause__, SubmissionUncertain)
    assert str(came.__cause__) in str(came)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"code": 200}', b'{"data": {"taskId": ""}}'])
def test_invalid_submit_response_is_the_cause(driver: Driver, body: bytes) -> None:
    with pytest.raises(SubmissionUncertain) as caught:
        driver.client(Service(submit=[raw(200, body)])).submit("a fox")

    assert isinstance(caught.value.__cause__, UnexpectedResponse)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        pytest.param(breaks(httpx.ConnectError), TransportError, id="never connected"),
        pytest.param(says(429), RateLimited, id="always too many"),
        pytest.param(says(400), InvalidRequest, id="refused"),
        pytest.param(says(403), PermissionDenied, id="forbidden"),
    ],
)
def test_error_of_a_submit_that_was_not_accepted_is_raised_unchanged(
    driver: Driver, answer: Answer, kind: type[ApixoError]
) -> None:
    with pytest.raises(ApixoError) as caught:
        driver.client(Service(submit=[answer])).submit("a fox")

    assert type(caught.value) is kind


def test_uncertain_submit_is_the_last_request_of_generate(driver: Driver) -> None:
    service = Service(submit=[breaks(httpx.ReadTimeout)])

    with pytest.raises(SubmissionUncertain):
        driver.client(service).generate("a fox")

    assert len(service.requests) == 1
