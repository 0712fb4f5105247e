"""From a prompt to images, and every way in which that can fail."""

from decimal import Decimal
from pathlib import Path

import pytest
from PIL import Image

from client_reference import (
    ApixoError,
    Client,
    ContentViolation,
    Generation,
    InsufficientCredits,
    InvalidImageUrl,
    NotFound,
    RateLimited,
    ResultExpired,
    Task,
    TaskFailed,
    WaitTimeout,
)
from tests.client_reference.e2e.conftest import MakeClient, MockTime
from tests.mock_server.e2e.api import Api


@pytest.mark.parametrize(
    ("ratio", "count", "size"),
    [("1:1", 1, (1024, 1024)), ("3:2", 2, (1536, 1024)), ("2:3", 4, (1024, 1536))],
)
def test_images_have_the_requested_size_and_number(
    client: Client, tmp_path: Path, ratio: str, count: int, size: tuple[int, int]
) -> None:
    generation = client.generate("a fox", aspect_ratio=ratio, num_images=count)
    files = client.download(generation, tmp_path)

    assert len(generation.urls) == len(set(files)) == count
    for file in files:
        with Image.open(file) as picture:
            assert (picture.size, picture.format) == (size, "PNG")
    assert sorted(tmp_path.iterdir()) == sorted(files)


def test_task_is_polled_as_the_provider_advises(client: Client, api: Api) -> None:
    task = client.submit("a fox [[mock pending=1s processing=27s]]")
    ended = client.wait(task)

    polls = [each for each in api.task(task.id)["timeline"] if each["kind"] == "status"]
    begun = api.task(task.id)["create_time_ms"]
    assert ended.state == "success"
    assert [each["at_ms"] - begun for each in polls] == [20_000, 23_000, 26_000, 29_000]


@pytest.mark.parametrize(
    ("prompt", "images", "kind", "code"),
    [
        ("a fox [[mock fail=CONTENT_VIOLATION]]", [], ContentViolation, "CONTENT_VIOLATION"),
        ("pure gore", [], ContentViolation, "CONTENT_VIOLATION"),
        ("a fox", ["https://nothing.invalid/fox.png"], InvalidImageUrl, "INVALID_IMAGE_URL"),
        ("a fox [[mock fail=MODEL_UNAVAILABLE]]", [], TaskFailed, "MODEL_UNAVAILABLE"),
    ],
    ids=["directive", "moderated word", "unreachable image", "another code"],
)
def test_failed_task_has_its_code_and_costs_nothing(
    client: Client, prompt: str, images: list[str], kind: type[TaskFailed], code: str
) -> None:
    before = client.balance()

    with pytest.raises(TaskFailed) as failure:
        client.generate(prompt, image_urls=images)

    assert type(failure.value) is kind
    assert failure.value.task is not None
    assert failure.value.fail_code == code == failure.value.task.fail_code
    assert client.balance() == before


def test_image_costs_the_documented_price(client: Client) -> None:
    before = client.balance()

    client.generate("a fox", num_images=2)

    assert before - client.balance() == Decimal("0.07")


def test_wait_continues_after_wait_timeout(client: Client) -> None:
    task = client.submit("a fox [[mock processing=100s]]")

    with pytest.raises(WaitTimeout) as short:
        client.wait(task, timeout=40)

    assert short.value.task.state == "processing"
    assert client.wait(short.value.task, timeout=100).state == "success"


def test_download_after_fifteen_days_raises_result_expired(
    client: Client, api: Api, tmp_path: Path
) -> None:
    generation = client.generate("a fox", num_images=2)
    api.advance("15d")

    with pytest.raises(ResultExpired) as gone:
        client.download(generation, tmp_path)

    assert gone.value.task == generation.task
    assert list(tmp_path.iterdir()) == []


def test_rate_limit_is_waited_out(client: Client, api: Api, time: MockTime) -> None:
    api.change(rate_limit=2)
    client.balance()
    client.balance()

    client.balance()

    assert time.slept_s == 60


def test_rate_limit_past_the_deadline_is_raised_at_once(
    client: Client, api: Api, time: MockTime
) -> None:
    api.change(rate_limit=1)
    task = client.submit("a fox")

    with pytest.raises(RateLimited) as refused:
        client.wait(task, timeout=30)

    assert refused.value.retry_after == 40
    assert time.slept_s == 20


@pytest.mark.parametrize("status", [400, 402])
def test_empty_account_raises_insufficient_credits(client: Client, api: Api, status: int) -> None:
    api.change(balance=0, insufficient_credits_status=status)

    with pytest.raises(InsufficientCredits, match=f"{status} Insufficient credits"):
        client.generate("a fox")


def test_key_sees_no_task_of_another_key(client: Client, make_client: MakeClient) -> None:
    other = make_client(api_key="sk-somebody-else")
    before = other.balance()
    task = client.submit("a fox")

    with pytest.raises(NotFound):
        other.status(task.id)

    assert other.balance() == before


def test_error_after_the_submit_has_the_task(client: Client, api: Api) -> None:
    def drop_everything(task: Task) -> None:
        api.control("DELETE", "sandbox")

    with pytest.raises(ApixoError) as lost:
        client.generate("a fox", on_update=drop_everything)

    assert lost.value.task is not None
    assert lost.value.task.id.startswith("task_")


def test_generation_consists_of_plain_values(client: Client) -> None:
    generation = client.generate("a fox")

    assert generation == Generation(task=generation.task, urls=generation.task.result_urls)
    assert generation.task.cost_time_ms is not None
    assert client.status(generation.task.id) == generation.task
