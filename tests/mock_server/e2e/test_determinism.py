"""Same seed, same key, same order of requests: same run, whatever other keys do."""

from urllib.parse import urlsplit

import pytest

from mock_server.settings import Settings
from tests.mock_server.conftest import Serve
from tests.mock_server.e2e.api import Api, Json

PROMPTS = ["a fox", "a hare", "gore", "[[mock fail=NSFW]] a deer", "a fox"]


def story(api: Api) -> list[Json]:
    """Submit some tasks and return all that chance decides about them."""
    began_ms = api.now_ms()
    tasks = [api.submit(prompt, num_images=2) for prompt in PROMPTS]
    api.advance("3m")
    shown = [api.task(task_id) for task_id in tasks]
    return [
        {
            "id": task["task_id"],
            "pending": task["plan"]["start_ms"] - began_ms,
            "whole": task["plan"]["end_ms"] - began_ms,
            "state": task["state"],
            "code": task["plan"]["fail_code"],
            "paths": [urlsplit(url).path for url in task.get("result_urls", [])],
            "pictures": [api.http.get(url).content for url in task.get("result_urls", [])],
        }
        for task in shown
    ]


@pytest.fixture
def told(serve: Serve) -> list[Json]:
    """Return the story of a key that has its server for itself."""
    return story(serve(Settings(clock="manual", seed=42)).api("sk-teller"))


def test_two_servers_tell_the_same_story_whatever_other_keys_do(
    serve: Serve, told: list[Json]
) -> None:
    mock = serve(Settings(clock="manual", seed=42))
    other = mock.api("sk-other")
    other.submit("[[mock hold]] an eel")
    other.advance("1d")
    api = mock.api("sk-teller")
    api.balance()
    api.try_submit({})

    assert story(api) == told


def test_a_dropped_sandbox_tells_the_same_story_again(serve: Serve, told: list[Json]) -> None:
    api = serve(Settings(clock="manual", seed=42)).api("sk-teller")
    api.submit()
    api.control("DELETE", "sandbox")

    assert story(api) == told


@pytest.mark.parametrize(
    ("seed", "key"), [(43, "sk-teller"), (42, "sk-another")], ids=["another-seed", "another-key"]
)
def test_another_seed_or_key_tells_another_story(
    serve: Serve, told: list[Json], seed: int, key: str
) -> None:
    other = story(serve(Settings(clock="manual", seed=seed)).api(key))

    for name in ("id", "whole", "paths", "pictures"):
        shared = [mine[name] == yours[name] != [] for mine, yours in zip(told, other, strict=True)]
        assert not any(shared), name
    assert [task["state"] for task in other] == [task["state"] for task in told]


def test_two_pictures_of_one_prompt_differ(told: list[Json]) -> None:
    first, last = told[0], told[-1]

    assert first["pictures"][0] != first["pictures"][1]
    assert first["pictures"] != last["pictures"]
