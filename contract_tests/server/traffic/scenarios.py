"""Turns a row of the covering array into a scenario: settings, and the steps of clients."""

from collections.abc import Iterator
from typing import Final

import msgspec

from contract_tests.server.traffic import steps
from contract_tests.server.traffic.array import Row
from contract_tests.server.traffic.bodies import DEFECTS, Defect, body_of, simple_body
from contract_tests.server.traffic.setup import Setup

_MAIN: Final = "main"
_RATE: Final = 6  # Requests in 60 s, if the limit is near.
_SMALL_S: Final = (0.001, 0.999, 2.0, 7.0)
_MINUTE_S: Final = 60.0
_DAY_S: Final = 86_400.0
_VALID_S: Final = 15 * _DAY_S  # RES-1
_NEAR_EXPIRY_S: Final = 600.0
_RETRIES_S: Final = (29.999, 0.001, 120.0, 600.0, 3600.0)
_LATER_S: Final = (30.0, 4320.0)  # As long, but there is nothing to see in between.
_FAIL_CODES: Final = (  # FAIL-3; a scenario uses one.
    "NSFW_DETECTED", "PROMPT_TOO_LONG", "INVALID_PROMPT", "IMAGE_TOO_LARGE", "UNSUPPORTED_FORMAT",
    "IMAGE_DOWNLOAD_FAILED", "PROCESSING_TIMEOUT", "MODEL_UNAVAILABLE", "GENERATION_FAILED",
    "INSUFFICIENT_CREDITS", "SensitiveContentDetected", "NSFW", "PromptLengthExceeded",
)  # fmt: skip
_REACTIONS: Final = {
    "accepts": ((200, 0.0),),
    "slow": ((200, 0.02),),  # The receiver answers late, but in time.
}
_REJECTIONS: Final = {
    "rejects": (500, 503, 404, 202, 302, 204, 429),
    "rejects-2xx": (204, 202),
    "rejects-4xx": (404, 429),
    "rejects-5xx": (500, 503),
}
_PICTURE_EVERY: Final = 8  # Scenarios per download: drawing a picture is slow.


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """A sequence of steps in sandboxes with these settings."""

    setup: Setup
    steps: tuple[steps.Step, ...]


def scenario_of(row: Row, number: int) -> Scenario:
    """Return the scenario of a row. `number` varies what the row leaves open."""
    images = 1 if row["count"] == "absent" else int(row["count"])
    has_before = row["actor"] == "second-task"
    is_fetched = row["references"] == "too-large"
    setup = Setup(
        keys=("own", "other") if row["actor"].startswith("other-key") else ("own",),
        rate_limit=_RATE if row["limit"] == "rate" else 10_000,
        max_tasks=(2 if has_before else 1) if row["limit"] == "tasks" else 1000,
        images_paid=images + has_before if row["limit"] == "balance" else None,
        # A fetch that times out has the code of the other side for an image that is too large.
        image_fail_codes="seed" if is_fetched else ("seed", "docs")[number % 2],
        fetches_images=is_fetched,
    )
    return Scenario(setup=setup, steps=tuple(_steps(row, number)))


def _steps(row: Row, number: int) -> Iterator[steps.Step]:
    if row["actor"] == "second-task":
        yield steps.Submit(task="before", body=simple_body())
    yield submit_of(row, number, task=_MAIN)
    yield from _other_actors(row, number)
    if row["limit"] != "far":
        yield _repeated(row, number, task="again")
    yield from _until_the_end(row, number)
    yield steps.Poll(task=_MAIN)
    yield from _after_the_end(row, number)
    if row["limit"] != "far":
        yield _repeated(row, number, task="afterwards")
    yield from _then(row, number)


def submit_of(row: Row, number: int, *, task: str, defect: Defect | None = None) -> steps.Submit:
    """Return the submit of a row, or an invalid one that differs from it by the defect only."""
    body, references = body_of(row, number)
    receiver = {"none": "", "dead": "dead"}.get(row["receiver"], "kit")
    if defect is not None:
        body = defect.applied_to(body)
        receiver = receiver if defect.has_url else ""
    return steps.Submit(
        task=task,
        body=body,
        receiver=receiver,
        reactions=reactions_of(row["receiver"], number),
        references=references,
        is_moderated=row["prompt"] == "moderated",
    )


def _repeated(row: Row, number: int, *, task: str) -> steps.Submit:
    """Return the same submit once more, without what takes real time: large images, retries."""
    if row["references"] == "too-large":
        return steps.Submit(task=task, body=simple_body())
    again = submit_of(row, number, task=task)
    return msgspec.structs.replace(again, receiver=again.receiver and "kit", reactions=())


def reactions_of(receiver: str, number: int) -> tuple[tuple[int, float], ...]:
    """Return how the receiver answers: one that rejects does so once, twice or always."""
    if receiver not in _REJECTIONS:
        return _REACTIONS.get(receiver, ())
    statuses = _REJECTIONS[receiver]
    status = statuses[number % len(statuses)]
    return ((status, 0.0),) * (1, 2, 5)[number % 3]


def _other_actors(row: Row, number: int) -> Iterator[steps.Step]:
    actor = row["actor"]
    if actor == "other-key-submits":
        yield steps.Submit(task="theirs", body=simple_body(), key="other")
        yield steps.Poll(task="theirs")
    elif actor == "other-key-reads":
        yield steps.Poll(task=_MAIN, key="other")
        yield steps.Poll(task=_MAIN, key="none")
    elif actor == "rejected-submit":
        defect = DEFECTS[number % len(DEFECTS)]
        yield submit_of(row, number, task="invalid", defect=defect)


def _until_the_end(row: Row, number: int) -> Iterator[steps.Step]:
    watch = row["watch"]
    if watch == "small-steps":
        yield steps.Poll(task=_MAIN)
        for seconds in _SMALL_S:
            yield steps.PassTime(seconds=seconds)
            yield steps.Poll(task=_MAIN)
        yield steps.CheckCallbacks(task=_MAIN)
    elif watch == "at-the-end" and row["outcome"] == "natural":
        yield steps.PassToEnd(task=_MAIN, offset_s=-0.001)
        yield steps.Poll(task=_MAIN)
        yield steps.ReadBalance()
    yield from _early_end(row, number)
    if watch == "small-steps" and row["outcome"] == "natural":
        yield steps.PassToEnd(task=_MAIN, offset_s=-1.0)
        yield steps.Poll(task=_MAIN)
    if watch in {"small-steps", "at-the-end"}:
        yield steps.PassToEnd(task=_MAIN)
    elif watch == "after-the-end":
        yield steps.PassToEnd(task=_MAIN, offset_s=_MINUTE_S)
    else:
        yield steps.PassToEnd(task=_MAIN, offset_s=_DAY_S)


def _early_end(row: Row, number: int) -> Iterator[steps.Step]:
    if row["outcome"] == "ended-early":
        yield steps.Finish(task=_MAIN)
    elif row["outcome"] == "failed-early":
        code = _FAIL_CODES[number % len(_FAIL_CODES)]
        yield steps.Finish(task=_MAIN, state="failed", fail_code=code)


def _after_the_end(row: Row, number: int) -> Iterator[steps.Step]:
    if row["receiver"] not in {"none", "dead"}:
        yield steps.CheckCallbacks(task=_MAIN)
    if number % _PICTURE_EVERY == 0:
        yield steps.Download(task=_MAIN, index=number)
    if row["actor"] == "other-key-reads":
        yield steps.Poll(task=_MAIN, key="other")
        yield steps.ReadBalance(key="other")
    elif row["actor"] == "other-key-submits":
        yield steps.PassToEnd(task="theirs")
        yield steps.Poll(task="theirs")
        yield steps.ReadBalance(key="other")
    elif row["actor"] == "second-task":
        yield steps.Poll(task="before")
    yield steps.ReadBalance()


def _then(row: Row, number: int) -> Iterator[steps.Step]:
    if row["then"] == "retries":
        for seconds in _RETRIES_S if row["receiver"] == "rejects" else _LATER_S:
            yield steps.PassTime(seconds=seconds)
            yield steps.CheckCallbacks(task=_MAIN)
        yield from _look_again(row, number)
    elif row["then"] == "expiry":
        yield steps.PassToEnd(task=_MAIN, offset_s=_VALID_S - _NEAR_EXPIRY_S)
        yield from _look_again(row, number)
        yield steps.PassTime(seconds=2 * _NEAR_EXPIRY_S)
        yield steps.CheckCallbacks(task=_MAIN)
        yield steps.Download(task=_MAIN, index=number)
        yield from _look_again(row, number)
    if row["then"] != "nothing":
        yield steps.ReadBalance()


def _look_again(row: Row, number: int) -> Iterator[steps.Step]:
    """Yield what was asked before: time alone changes no answer."""
    yield steps.Poll(task=_MAIN)
    if number % _PICTURE_EVERY == 0:
        yield steps.Download(task=_MAIN, index=number)
    if row["actor"].startswith("other-key"):
        yield steps.Poll(task=_MAIN, key="other")
    elif row["actor"] == "second-task":
        yield steps.Poll(task="before")
    if row["limit"] != "far":
        yield steps.Poll(task="afterwards")
