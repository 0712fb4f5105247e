"""An unmodified client steers a task by its prompt, a tester by control."""

import pytest

from tests.mock_server.e2e.api import Api


def test_durations_can_be_chosen(api: Api) -> None:
    now_ms = api.now_ms()

    plan = api.task(api.submit("[[mock pending=2s processing=500ms]] a fox"))["plan"]

    assert (plan["start_ms"] - now_ms, plan["end_ms"] - now_ms) == (2000, 2500)


def test_directives_of_one_prompt_add_up(api: Api) -> None:
    now_ms = api.now_ms()

    plan = api.task(api.submit("[[mock pending=1s]] a fox [[mock processing=1m fail=NSFW]]"))[
        "plan"
    ]

    assert (plan["start_ms"] - now_ms, plan["end_ms"] - now_ms) == (1000, 61_000)
    assert plan["fail_code"] == "NSFW"


def test_polls_end_a_task_by_the_number_of_status_requests(api: Api) -> None:
    task_id = api.submit("[[mock polls=3]] a fox")
    api.advance("1d")

    states = [api.status(task_id)["state"] for _ in range(4)]

    assert states == ["pending", "processing", "success", "success"]


def test_one_poll_is_enough_when_one_is_asked_for(api: Api) -> None:
    task_id = api.submit("[[mock polls=1 fail=NSFW]] a fox")

    failed = api.status(task_id)

    assert (failed["state"], failed["failCode"]) == ("failed", "NSFW")
    assert failed["completeTime"] == api.now_ms()


def test_looking_by_control_is_no_poll(api: Api) -> None:
    task_id = api.submit("[[mock polls=1]] a fox")
    for _ in range(3):
        assert api.task(task_id)["state"] == "pending"

    assert api.status(task_id)["state"] == "success"


def test_a_held_task_stays_processing_until_control_releases_it(api: Api) -> None:
    task_id = api.submit("[[mock hold]] a fox")
    api.advance("100d")
    held = api.status(task_id)
    api.finish(task_id)

    assert held["state"] == "processing"
    assert api.status(task_id)["state"] == "success"
    assert api.status(task_id)["completeTime"] == api.now_ms()


def test_control_can_end_a_task_as_failed_with_any_code_and_message(api: Api) -> None:
    task_id = api.submit()

    answer = api.finish(task_id, state="failed", failCode="MODEL_UNAVAILABLE", failMsg="Gone.")

    status = api.status(task_id)
    assert answer["state"] == status["state"] == "failed"
    assert (status["failCode"], status["failMsg"]) == ("MODEL_UNAVAILABLE", "Gone.")
    assert status["costTime"] == 0


def test_a_fail_code_alone_brings_its_own_message(api: Api) -> None:
    task_id = api.submit()
    api.finish(task_id, state="failed", failCode="CONTENT_VIOLATION")

    assert api.status(task_id)["failMsg"] == "Content violates safety guidelines"


def test_control_goes_before_everything_else(api: Api) -> None:
    doomed = api.submit("gore [[mock fail=NSFW]]")
    api.finish(doomed)

    assert api.status(doomed)["state"] == "success"
    assert len(api.result_urls(doomed)) == 1


@pytest.mark.parametrize("how", ["by-time", "by-control"])
def test_a_task_that_has_ended_cannot_be_finished(api: Api, how: str) -> None:
    task_id = api.submit()
    if how == "by-time":
        api.advance("3m")
    else:
        api.finish(task_id)
    before = api.ask(task_id).content

    answer = api.control("POST", f"tasks/{task_id}/finish", {"state": "failed"})

    assert (answer.status_code, answer.json()["code"]) == (409, 409)
    assert "success" in answer.json()["data"]["error"]
    assert api.ask(task_id).content == before


def test_explain_names_every_step_that_had_a_say(api: Api) -> None:
    task_id = api.submit(
        "a nude fox [[mock fail=GENERATION_FAILED pending=1s]]",
        image_urls=["https://x.invalid/a.png"],
    )
    api.finish(task_id, state="failed", failCode="NSFW")

    forced, directive, image, word, times = api.task(task_id)["explain"]

    assert forced == "forced by control: NSFW"
    assert directive == "directive in the prompt: fail=GENERATION_FAILED pending=1000ms"
    assert image.startswith("reference image 1 is unusable (unreachable): ")
    assert image.endswith("no effect, because GENERATION_FAILED was already decided")
    assert word.startswith('moderation: the prompt contains the word "nude"; no effect')
    assert times.startswith("times: ")


def test_explain_says_so_when_nothing_special_was_asked(api: Api) -> None:
    first, _ = api.task(api.submit())["explain"]

    assert first.startswith("default: ")


def test_the_timeline_tells_what_happened_in_order_of_time(api: Api) -> None:
    task_id = api.submit("[[mock pending=2s processing=3s]] a fox")
    began_ms = api.now_ms()
    api.advance(1)
    api.status(task_id)
    api.advance(5)
    api.http.get(api.result_urls(task_id)[0])

    timeline = api.task(task_id)["timeline"]

    assert [(each["at_ms"] - began_ms, each["kind"]) for each in timeline] == [
        (0, "submit"),
        (0, "transition"),
        (1000, "status"),
        (2000, "transition"),
        (5000, "transition"),
        (6000, "status"),
        (6000, "result"),
    ]
    states = [each["state"] for each in timeline if each["kind"] == "transition"]
    assert states == ["pending", "processing", "success"]
