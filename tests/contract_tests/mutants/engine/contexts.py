"""The contexts in which a mutant does wrong; everywhere else it is the true mock."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.contract_tests.mutants.engine.occasions import Occasion

_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS


@dataclass(frozen=True, kw_only=True)
class Context:
    """`holds` tells whether an occasion is in the context."""

    name: str
    holds: Callable[[Occasion], bool]
    about: str
    """What must be known: "always", "task" (as it was submitted), "end" (how it ended), "channel",
    "picture", "age" (time since the end), "polls", or "key" (what its key has done before)."""
    needs_control: bool = False
    """Whether it takes longer than ten minutes to reach it in real time."""


def _task(name: str, holds: Callable[[Occasion], bool]) -> Context:
    return Context(name=name, holds=lambda occasion: bool(occasion.body) and holds(occasion),
                   about="task")  # fmt: skip


def _given(name: str, *values: object) -> Callable[[Occasion], bool]:
    return lambda occasion: occasion.input.get(name) in values


def _references(occasion: Occasion) -> list[str]:
    urls = occasion.input.get("image_urls")
    return [url for url in urls if isinstance(url, str)] if isinstance(urls, list) else []


def _ended_with(code: str) -> Callable[[Occasion], bool]:
    return lambda occasion: occasion.task is not None and occasion.task.fail_code == code


def _has_failed_otherwise(occasion: Occasion) -> bool:
    code = None if occasion.task is None else occasion.task.fail_code
    return code not in {None, "CONTENT_VIOLATION", "INVALID_IMAGE_URL"}


def _older_than(age_ms: int) -> Callable[[Occasion], bool]:
    def is_older(occasion: Occasion) -> bool:
        final = None if occasion.task is None else occasion.task.final
        return final is not None and occasion.now_ms - final["completeTime"] >= age_ms

    return is_older


def _prompt(occasion: Occasion) -> str:
    prompt = occasion.input.get("prompt")
    return prompt if isinstance(prompt, str) else ""


ALWAYS = Context(name="always", holds=lambda _: True, about="always")

CONTEXTS = (
    ALWAYS,
    _task("callback-tasks", lambda each: each.body.get("request_type") == "callback"),
    _task("route-value", lambda each: each.body.get("provider") == "value"),
    _task("route-official", lambda each: each.body.get("provider") == "official"),
    _task("mode-text-to-image", _given("mode", "text-to-image")),
    _task("mode-image-to-image", _given("mode", "image-to-image")),
    _task("two-images", _given("num_images", 2)),
    _task("four-images", _given("num_images", 4)),
    _task("ratio-3-2", _given("aspect_ratio", "3:2")),
    _task("ratio-2-3", _given("aspect_ratio", "2:3")),
    _task("references", lambda each: bool(_references(each))),
    _task(
        "data-references",
        lambda each: any(url.startswith("data:") for url in _references(each)),
    ),
    _task("long-prompts", lambda each: len(_prompt(each)) > 5_000),
    _task("unicode-prompts", lambda each: not _prompt(each).isascii()),
    Context(name="moderated", holds=_ended_with("CONTENT_VIOLATION"), about="end"),
    Context(name="bad-references", holds=_ended_with("INVALID_IMAGE_URL"), about="end"),
    Context(
        name="injected-failures", holds=_has_failed_otherwise, about="end", needs_control=True
    ),
    Context(name="status-only", holds=lambda each: each.channel == "status", about="channel"),
    Context(name="callbacks-only", holds=lambda each: each.channel == "callback", about="channel"),
    Context(name="second-address", holds=lambda each: each.picture == 1, about="picture"),
    Context(name="last-of-four", holds=lambda each: each.picture == 3, about="picture"),
    Context(
        name="after-two-polls",
        holds=lambda each: each.channel == "status" and each.task is not None
        and each.task.polls > 2,
        about="polls",
    ),
    Context(name="after-an-hour", holds=_older_than(_HOUR_MS), about="age", needs_control=True),
    Context(
        name="after-14-days", holds=_older_than(14 * _DAY_MS), about="age", needs_control=True
    ),
    Context(
        name="after-15-days", holds=_older_than(15 * _DAY_MS), about="age", needs_control=True
    ),
    Context(
        name="second-task",
        holds=lambda each: each.task is not None and each.task.number > 1,
        about="key",
    ),
    Context(
        name="another-key-acts",
        holds=lambda each: each.task is not None and each.memory.acts_another_key_since(each.task),
        about="key",
    ),
    Context(
        name="after-a-rejection",
        holds=lambda each: each.task is not None and each.task.follows_rejection,
        about="key",
    ),
    Context(
        name="after-a-429", holds=lambda each: each.throttled_before > 0, about="key"
    ),
)  # fmt: skip
