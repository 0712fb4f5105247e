import urllib.error
import urllib.request

import pytest
from painter import GenerationFailed, call, paint

from mock_server.testing.receiver import CallbackReceiver
from mock_server.testing.sandbox import ApixoMock


def test_a_picture_is_painted_without_waiting(apixo_mock: ApixoMock) -> None:
    urls = paint("a fox in the snow", sleep=apixo_mock.advance)

    assert len(urls) == 1
    assert apixo_mock.tasks[0]["state"] == "success"
    assert apixo_mock.journal.count("submit") == 1


def test_the_client_keeps_the_contract(apixo_mock: ApixoMock) -> None:
    for url in paint("a fox in the snow", sleep=apixo_mock.advance):
        urllib.request.urlopen(url).close()

    apixo_mock.audit()


def test_a_failed_task_raises(apixo_mock: ApixoMock) -> None:
    apixo_mock.next(fail="CONTENT_VIOLATION")

    with pytest.raises(GenerationFailed, match="CONTENT_VIOLATION"):
        paint("a fox", sleep=apixo_mock.advance)


def test_an_outage_raises_instead_of_looping(apixo_mock: ApixoMock) -> None:
    apixo_mock.rules.add(match={"operation": "status"}, apply={"refuse": {"status": 503}})

    with pytest.raises(urllib.error.HTTPError):
        paint("a fox", sleep=apixo_mock.advance)


@pytest.mark.apixo_mock(profile="free-plan", seed=3)
def test_a_fourth_concurrent_task_is_rejected(apixo_mock: ApixoMock) -> None:
    for _ in range(3):
        call("POST", "generateTask/gpt-image-1", {"input": {"prompt": "a fox"}})

    with pytest.raises(urllib.error.HTTPError, match="429"):
        call("POST", "generateTask/gpt-image-1", {"input": {"prompt": "a fox"}})


def test_the_result_arrives_by_callback(
    apixo_mock: ApixoMock, apixo_callback_receiver: CallbackReceiver
) -> None:
    apixo_mock.next(callback={"duplicate": 1})
    order = {"request_type": "callback", "callback_url": apixo_callback_receiver.url}
    call("POST", "generateTask/gpt-image-1", {**order, "input": {"prompt": "a fox"}})

    apixo_mock.advance("1m")

    first, again = apixo_callback_receiver.wait_for(2)
    assert first == again
    assert first["data"]["state"] == "success"
