"""Ready rule sets: what they set, and that a correct client gets through the hostile one."""

from pathlib import Path

import pytest

from client_reference import Client
from mock_server.options import PROFILES
from mock_server.settings import Settings
from tests.mock_server.e2e.api import Api
from tests.mock_server.e2e.serving import RunningMock, running


def test_the_switch_names_the_files() -> None:
    folder = Path(__file__).parents[3] / "fixtures" / "profiles"

    assert set(PROFILES) == {path.stem for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("profile", "limits"),
    [("free-plan", (10, 3)), ("pro-plan", (60, 10)), ("calm", (10_000, 1000))],
)
def test_a_plan_sets_its_limits_and_calm_takes_them_back(
    api: Api, profile: str, limits: tuple[int, int]
) -> None:
    api.change(profile="free-plan")
    shown = api.change(profile=profile)["settings"]

    assert (shown["rate_limit"], shown["max_concurrent"]) == limits
    assert shown["profile"] == profile
    calm = api.change(profile="calm")["settings"]
    assert (calm["rate_limit"], calm["max_concurrent"]) == (10_000, 1000)


def test_what_is_set_by_name_goes_over_the_profile() -> None:
    with running(Settings(profile="free-plan", rate_limit=5)) as mock:
        shown = mock.api("key").told("GET", "sandbox")["settings"]

    assert (shown["rate_limit"], shown["max_concurrent"]) == (5, 3)


def test_an_outage_refuses_everything_and_ends_with_another_profile(api: Api) -> None:
    api.change(profile="outage")
    assert api.try_submit({"input": {"prompt": "x"}}).status_code == 503

    api.change(profile="calm")
    assert api.try_submit({"input": {"prompt": "x"}}).status_code == 200


@pytest.mark.parametrize("seed", range(4))
def test_the_reference_client_gets_through_the_hostile_one(seed: int, tmp_path: Path) -> None:
    with running(Settings(clock="manual", seed=seed, profile="hostile")) as mock:
        api = mock.api("key")
        with client(mock, api) as reference:
            for number in range(6):
                generation = reference.generate(f"fox {number}")
                assert len(reference.download(generation, tmp_path)) == 1

        faults = {entry["fault"] for entry in api.told("GET", "journal")["entries"]}
    assert len(faults) > 2


def client(mock: RunningMock, api: Api) -> Client:
    def sleep(seconds: float) -> None:
        if seconds > 0:
            api.advance(seconds)

    return Client(api.key, mock.url, clock=lambda: api.now_ms() / 1000, sleep=sleep)
