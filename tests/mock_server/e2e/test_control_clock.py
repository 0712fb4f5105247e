"""The clock of a sandbox in the tester's hand."""

import pytest

from mock_server.settings import Settings
from tests.mock_server.conftest import Serve
from tests.mock_server.e2e.api import Api


def test_the_clock_tells_mode_speed_and_instant(api: Api) -> None:
    clock = api.told("GET", "clock")

    assert (clock["mode"], clock["speed"]) == ("manual", 1)
    assert isinstance(clock["now_ms"], int)


def test_a_manual_clock_stands_still(api: Api) -> None:
    assert len({api.now_ms() for _ in range(20)}) == 1


@pytest.mark.parametrize(
    ("written", "milliseconds"),
    [
        (2, 2_000),
        (2.5, 2_500),
        ("500ms", 500),
        ("2s", 2_000),
        ("3m", 180_000),
        ("1h", 3_600_000),
        ("15d", 1_296_000_000),
        (0.001, 1),
    ],
)
def test_time_can_be_moved_by_any_duration(
    api: Api, written: float | str, milliseconds: int
) -> None:
    before_ms = api.now_ms()

    answer = api.told("POST", "clock/advance", {"seconds": written})

    assert answer == {"from_ms": before_ms, "now_ms": before_ms + milliseconds, "fired": []}
    assert api.now_ms() == before_ms + milliseconds


@pytest.mark.parametrize(
    "seconds", [0, -1, "", "soon", "-3s", True, None, [], 1e300, "1e3", "0ms", "40000d"]
)
def test_time_cannot_be_moved_by_anything_else(api: Api, seconds: object) -> None:
    before_ms = api.now_ms()

    answer = api.control("POST", "clock/advance", {"seconds": seconds})

    assert answer.status_code == 400
    assert answer.json()["data"]["error"].startswith("seconds: ")
    assert api.now_ms() == before_ms


def test_an_advance_without_a_duration_is_refused(api: Api) -> None:
    answer = api.control("POST", "clock/advance", {})

    assert answer.status_code == 400
    assert answer.json()["data"]["error"] == "Missing required field: seconds"


def test_an_unknown_member_is_refused_and_the_nearest_known_is_named(api: Api) -> None:
    advance = api.control("POST", "clock/advance", {"second": 3})
    change = api.control("PUT", "clock", {"sped": 3})

    assert advance.json()["data"]["error"] == 'second: is unknown; did you mean "seconds"?'
    assert change.json()["data"]["error"] == 'sped: is unknown; did you mean "speed"?'


def test_time_ends_with_the_calendar(api: Api) -> None:
    statuses = [
        api.control("POST", "clock/advance", {"seconds": "36500d"}).status_code for _ in range(85)
    ]
    refused = api.control("POST", "clock/advance", {"seconds": "36500d"})

    assert set(statuses) == {200, 400}
    assert refused.json()["data"]["error"] == "seconds: would move the clock past the year 9999"
    assert api.status(api.submit())["state"] == "pending"


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("mode", "fast"),
        ("mode", 1),
        ("speed", 0),
        ("speed", -1),
        ("speed", "20"),
        ("speed", 1e300),
    ],
)
def test_a_wrong_value_is_refused_by_its_path_and_the_clock_stays(
    api: Api, member: str, value: object
) -> None:
    before = api.told("GET", "clock")

    answer = api.control("PUT", "clock", {member: value})

    assert answer.status_code == 400
    assert answer.json()["data"]["error"].startswith(f"{member}: ")
    assert api.told("GET", "clock") == before


def test_mode_and_speed_can_be_set_one_without_the_other(api: Api) -> None:
    faster = api.told("PUT", "clock", {"speed": 20})
    moving = api.told("PUT", "clock", {"mode": "real"})

    assert (faster["mode"], faster["speed"]) == ("manual", 20)
    assert (moving["mode"], moving["speed"]) == ("real", 20)


def test_time_never_goes_back_however_the_clock_is_set(api: Api) -> None:
    instants = [api.now_ms()]
    for change in (
        {"mode": "real", "speed": 100_000},
        {"speed": 0.001},
        {"mode": "manual"},
        {"mode": "real", "speed": 1},
        {"mode": "manual", "speed": 5},
    ):
        instants.append(api.told("PUT", "clock", change)["now_ms"])
        api.advance("1ms")
        instants.append(api.now_ms())

    assert instants == sorted(instants)


def test_a_moving_clock_can_be_advanced_as_well(api: Api) -> None:
    api.go_real(1)
    task_id = api.submit()
    answer = api.told("POST", "clock/advance", {"seconds": "3m"})

    assert answer["now_ms"] - answer["from_ms"] == 180_000
    assert api.status(task_id)["state"] == "success"
    assert api.told("GET", "clock")["mode"] == "real"


def test_a_fast_clock_ends_tasks_by_itself(api: Api) -> None:
    api.go_real(1_000_000)
    task_id = api.submit()
    patience_ms = api.now_ms() + 20 * 10**9  # 20 real seconds; a task needs 0.00009
    while api.status(task_id)["state"] != "success":
        assert api.now_ms() < patience_ms

    assert api.status(task_id)["completeTime"] <= api.now_ms()


def test_the_clock_of_every_sandbox_begins_as_the_server_was_told(serve: Serve) -> None:
    mock = serve(Settings(clock="real", speed=500))

    clock = mock.api("sk-key").told("GET", "clock")

    assert (clock["mode"], clock["speed"]) == ("real", 500)
