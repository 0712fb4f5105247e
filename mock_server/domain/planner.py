"""The one place where a task's life is decided, once, when it is submitted.

Precedence, highest first: forced by control (the task's plan is replaced later) → directive in
the prompt → rule (the queue of the next goes before the others) → reference images → moderation →
default.
"""

import math
from collections.abc import Mapping

import msgspec

from mock_server.domain.catalogue import Timing
from mock_server.domain.chance import normal_quantile, two_uniforms
from mock_server.domain.outcome import Outcome
from mock_server.domain.ports import BadImage, ImageProblem
from mock_server.domain.rule_book import RuleMatch
from mock_server.domain.task import Plan

BY_DEFAULT = ("default: succeeds, for nothing asks for a failure",)
_BY_CONTRACT = {  # FAIL-4: the model page knows one code only, the errors pages know three
    "seed": dict.fromkeys(ImageProblem, "INVALID_IMAGE_URL"),
    "docs": {
        ImageProblem.UNREACHABLE: "INVALID_IMAGE_URL",
        ImageProblem.WRONG_FORMAT: "UNSUPPORTED_FORMAT",
        ImageProblem.TOO_LARGE: "IMAGE_TOO_LARGE",
    },
}


class Brief(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What a submit decides by itself, before its turn in the sandbox is known."""

    fail_code: str | None = None
    fail_message: str | None = None
    pending_ms: int | None = None
    processing_ms: int | None = None
    polls: int = 0
    is_held: bool = False
    has_directives: bool = False
    reasons: tuple[str, ...] = BY_DEFAULT


DEFAULT_BRIEF = Brief()


def make_brief(
    asked: Outcome | None,
    bad_image: BadImage | None,
    moderated_word: str | None,
    *,
    fail_messages: Mapping[str, str],
    image_fail_codes: str,
    ruled: RuleMatch | None = None,
) -> Brief:
    """Put the steps of the precedence together; the first that speaks of the end decides it.

    `image_fail_codes` is `seed` or `docs` (FAIL-4).
    """
    has_directives = asked is not None
    asked = asked or Outcome()
    reasons = _reasons("directive in the prompt", asked)
    if ruled is not None and ruled.effect.outcome is not None:
        reasons += _reasons(ruled.rule, ruled.effect.outcome, asked.fail)
        asked = _filled_up(asked, ruled.effect.outcome)
    code, message = asked.fail, asked.message
    if bad_image is not None:
        image_code = _BY_CONTRACT[image_fail_codes][bad_image.problem]
        reasons += _step(
            f"reference image {bad_image.index + 1} is unusable ({bad_image.problem}):"
            f" {bad_image.reason}", image_code, code,
        )  # fmt: skip
        code = code or image_code
    if moderated_word is not None:
        reasons += _step(
            f"moderation: the prompt holds the word {moderated_word!r}", "CONTENT_VIOLATION", code
        )
        code = code or "CONTENT_VIOLATION"
    return Brief(
        fail_code=code,
        fail_message=None if code is None else message or fail_messages[code],
        pending_ms=asked.pending_ms,
        processing_ms=asked.processing_ms,
        polls=0 if asked.hold else asked.polls or 0,
        is_held=asked.hold,
        has_directives=has_directives,
        reasons=reasons if code else (*reasons, *BY_DEFAULT),
    )


def make_plan(
    brief: Brief, drawn: bytes, *, now_ms: int, generation_time_ms: int, timing: Timing
) -> Plan:
    """Return the plan of a task that is submitted at `now_ms` (TIM-1).

    `drawn` is the task's chance, 8 bytes or more.
    """
    pending_ms, processing_ms = _durations_ms(drawn, generation_time_ms, timing)
    if brief.pending_ms is not None:
        pending_ms = brief.pending_ms
    if brief.processing_ms is not None:
        processing_ms = brief.processing_ms
    start_ms = now_ms + pending_ms
    return Plan(
        start_ms=start_ms,
        end_ms=None if brief.polls or brief.is_held else start_ms + processing_ms,
        polls=brief.polls,
        fail_code=brief.fail_code,
        fail_message=brief.fail_message,
        reasons=brief.reasons,
    )


def _filled_up(asked: Outcome, ruled: Outcome) -> Outcome:
    """Return what a prompt asks for, and what a rule says of all else."""
    says_end = asked.fail is not None
    says_when = asked.hold or asked.polls is not None
    return Outcome(
        fail=asked.fail if says_end else ruled.fail,
        message=asked.message if says_end else ruled.message,
        pending_ms=ruled.pending_ms if asked.pending_ms is None else asked.pending_ms,
        processing_ms=ruled.processing_ms if asked.processing_ms is None else asked.processing_ms,
        polls=asked.polls if says_when else ruled.polls,
        hold=asked.hold if says_when else ruled.hold,
    )


def _reasons(source: str, asked: Outcome, decided: str | None = None) -> tuple[str, ...]:
    written = [
        f"{name}={value}"
        for name, value in (
            ("fail", asked.fail),
            ("message", asked.message and repr(asked.message)),
            ("pending", asked.pending_ms is not None and f"{asked.pending_ms}ms"),
            ("processing", asked.processing_ms is not None and f"{asked.processing_ms}ms"),
            ("polls", asked.polls),
        )
        if value
    ]
    written += ["hold"] if asked.hold else []
    late = f"; its end has no effect, {decided} was decided before" if decided else ""
    return (f"{source}: {' '.join(written)}{late}",) if written else ()


def _step(sentence: str, code: str, decided: str | None) -> tuple[str]:
    if decided is None:
        return (f"{sentence} → {code}",)
    return (f"{sentence}; no effect, {decided} was decided before",)


def _durations_ms(drawn: bytes, average_ms: int, timing: Timing) -> tuple[int, int]:
    """Return how long a task is pending and processing.

    The whole is lognormal around its average, clipped on both sides; pending is a small and
    bounded share of it.
    """
    if average_ms == 0:
        return 0, 0
    of_whole, of_pending = two_uniforms(drawn)
    sigma, clip, shortest_s = timing.sigma, timing.clip, timing.pending_min_s
    factor = math.exp(sigma * (normal_quantile(of_whole) - sigma / 2))
    if not 1 / clip <= factor <= clip:
        factor = clip if factor > clip else 1 / clip
    whole_ms = round(average_ms * factor)
    pending_s = shortest_s + (timing.pending_max_s - shortest_s) * of_pending
    pending_ms = int(min(pending_s * 1000, whole_ms * timing.pending_max_share))
    return pending_ms, whole_ms - pending_ms
