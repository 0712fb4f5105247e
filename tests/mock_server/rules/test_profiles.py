"""Ready rule sets: what they set; `test_hostile_clients.py` has the rest."""

from pathlib import Path

import pytest

from mock_server.domain.sandbox_settings import PROFILES
from mock_server.settings import Settings
from tests.mock_server.conftest import Serve
from tests.mock_server.e2e.api import BALANCE, Api
from tests.mock_server.e2e.serving import running


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


@pytest.mark.parametrize("profile", PROFILES)
def test_each_can_be_chosen_at_the_start_and_later_with_the_same_rules(
    api: Api, serve: Serve, profile: str
) -> None:
    later = api.change(profile=profile)["settings"]
    at_the_start = serve(Settings(clock="manual", profile=profile)).api("a-key-of-profiles")

    assert at_the_start.told("GET", "sandbox")["settings"] == later
    assert at_the_start.told("GET", "rules") == api.told("GET", "rules")
    assert api.told("GET", "rules")["rules"] == []


@pytest.mark.parametrize("profile", PROFILES)
def test_going_back_to_calm_restores_everything(api: Api, profile: str) -> None:
    before = api.told("GET", "sandbox")["settings"], api.told("GET", "rules")
    api.change(profile=profile)
    api.change(profile="calm")

    assert (api.told("GET", "sandbox")["settings"], api.told("GET", "rules")) == before


def test_what_is_set_by_hand_stays_when_a_profile_says_nothing_of_it(api: Api) -> None:
    api.change(rate_limit=77)
    api.change(profile="slow")
    api.change(profile="calm")

    assert api.told("GET", "sandbox")["settings"]["rate_limit"] == 77


def test_the_limits_of_a_plan_are_kept(api: Api) -> None:
    api.change(profile="free-plan")
    statuses = [api.try_submit({"input": {"prompt": "x"}}).status_code for _ in range(4)]
    api.advance("5m")
    window = [api.send("GET", BALANCE).status_code for _ in range(11)]

    assert statuses == [200] * 3 + [429]
    assert window == [200] * 10 + [429]


def test_a_slow_one_takes_two_minutes_on_average_and_tells_its_latency(serve: Serve) -> None:
    rules = ({"match": {"operation": ["submit", "status"]}, "apply": {"latency": "1ms"}},)
    slow = serve(Settings(clock="manual", seed=1, profile="slow", rules=rules))  # spares waiting
    api = slow.api("a-key-of-the-slow")
    ids = [api.submit(f"fox {number}") for number in range(60)]
    plans = [api.task(each)["plan"]["end_ms"] - api.task(each)["create_time_ms"] for each in ids]

    assert 90_000 < sum(plans) / len(plans) < 150_000
    assert api.send("GET", BALANCE).headers["mock-fault"] == "latency"


def test_an_unknown_profile_is_refused_with_the_nearest_one(api: Api) -> None:
    refused = api.control("PATCH", "sandbox", {"profile": "hostil", "rate_limit": 3})

    assert refused.status_code == 400
    error = refused.json()["data"]["error"]
    assert error.startswith("profile: must be one of calm, hostile, ")
    assert error.endswith('(got "hostil"); did you mean "hostile"?')
    assert api.told("GET", "sandbox")["settings"]["rate_limit"] == 10_000


def test_results_can_be_had_in_an_outage(api: Api) -> None:
    url = api.result_urls(api.submit("[[mock pending=0 processing=0]]"))[0]
    api.change(profile="outage")

    statuses = {api.send("GET", BALANCE).status_code, api.ask("task_1").status_code}
    assert statuses == {503}
    assert api.http.get(url).status_code == 200
