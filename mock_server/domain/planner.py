"""Plan a task when it is submitted: when it starts, when it ends and how.

Precedence, highest first: the control plane (it replaces the plan later), a directive in the
prompt, a rule (those queued by `next` first), reference images, moderation, default.
"""

import math
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from mock_server.domain.catalogue import Catalogue, Timing
from mock_server.domain.chance import normal_quantile, two_uniforms
from mock_server.domain.directives import parse_directives, without_directives
from mock_server.domain.errors import quoted
from mock_server.domain.moderation import ModeratedWords
from mock_server.domain.outcome import Outcome
from mock_server.domain.ports import BadImage, ImageProblem
from mock_server.domain.rule_book import RuleMatch
from mock_server.domain.sandbox_settings import ImageFailCodes, SandboxSettings
from mock_server.domain.submission import Submission
from mock_server.domain.task import Ending

BY_DEFAULT = ("default: the task succeeds",)
SUCCESS_BY_DEFAULT = Ending(reasons=BY_DEFAULT)
_IMAGE_FAIL_CODES = {  # FAIL-4: the model page documents one code, the error pages document three.
    "seed": dict.fromkeys(ImageProblem, "INVALID_IMAGE_URL"),
    "docs": {
        ImageProblem.UNREACHABLE: "INVALID_IMAGE_URL",
        ImageProblem.WRONG_FORMAT: "UNSUPPORTED_FORMAT",
        ImageProblem.TOO_LARGE: "IMAGE_TOO_LARGE",
    },
}


class PlanRequest(msgspec.Struct, frozen=True, gc=False, kw_only=True, array_like=True):
    """The part of a plan that is known before the sandbox accepts the submit."""

    ending: Ending = SUCCESS_BY_DEFAULT
    pending_ms: int | None = None
    processing_ms: int | None = None
    is_held: bool = False
    has_directives: bool = False


DEFAULT_REQUEST = PlanRequest()


class Planner:
    """Makes a `PlanRequest` from a submission, the matching rule and the check of its images."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._fail_messages = catalogue.fail_messages
        self._moderated_words = ModeratedWords(catalogue.moderated_words)

    def request(
        self,
        submission: Submission,
        settings: SandboxSettings,
        bad_image: BadImage | None = None,
        match: RuleMatch | None = None,
    ) -> PlanRequest:
        """Return the plan request of a submission.

        Raises InvalidRequest if a directive in the prompt is invalid.
        """
        prompt, directives = submission.prompt, None
        if "[[mock" in prompt and not settings.strict:
            directives = parse_directives(prompt, self._fail_messages)
            prompt = without_directives(prompt)
        word = self._moderated_words.first_in(prompt)
        if match is not None and match.effect.outcome is None:
            match = None
        if directives is None and bad_image is None and word is None and match is None:
            return DEFAULT_REQUEST
        return plan_request(
            directives,
            bad_image,
            word,
            match=match,
            fail_messages=self._fail_messages,
            image_fail_codes=settings.image_fail_codes,
        )


def plan_request(
    directives: Outcome | None,
    bad_image: BadImage | None,
    moderated_word: str | None,
    *,
    fail_messages: Mapping[str, str],
    image_fail_codes: ImageFailCodes,
    match: RuleMatch | None = None,
) -> PlanRequest:
    """Return a plan request; the first step of the precedence with a fail code decides."""
    wanted = directives or Outcome()
    reasons = _reasons("directive in the prompt", wanted)
    if match is not None and match.effect.outcome is not None:
        reasons += _reasons(match.rule, match.effect.outcome, wanted.fail)
        wanted = _completed(wanted, match.effect.outcome)
    code, message = wanted.fail, wanted.message
    if bad_image is not None:
        image_code = _IMAGE_FAIL_CODES[image_fail_codes][bad_image.problem]
        reason = (
            f"reference image {bad_image.index + 1} is unusable ({bad_image.problem}):"
            f" {bad_image.reason}"
        )
        reasons += _step(reason, image_code, code)
        code = code or image_code
    if moderated_word is not None:
        reason = f"moderation: the prompt contains the word {quoted(moderated_word)}"
        reasons += _step(reason, "CONTENT_VIOLATION", code)
        code = code or "CONTENT_VIOLATION"
    return PlanRequest(
        ending=Ending(
            polls=0 if wanted.hold else wanted.polls or 0,
            fail_code=code,
            fail_message=None if code is None else message or fail_messages[code],
            reasons=reasons if code else (*reasons, *BY_DEFAULT),
        ),
        pending_ms=wanted.pending_ms,
        processing_ms=wanted.processing_ms,
        is_held=wanted.hold,
        has_directives=directives is not None,
    )


def planned_times(
    request: PlanRequest, drawn_ms: tuple[int, int], now_ms: int
) -> tuple[int, int | None]:
    """Return `start_ms` and `end_ms` of a task that is submitted at `now_ms`.

    `drawn_ms` is how long it is pending and processing, unless the request sets it.
    """
    pending_ms, processing_ms = drawn_ms
    if request.pending_ms is not None:
        pending_ms = request.pending_ms
    if request.processing_ms is not None:
        processing_ms = request.processing_ms
    # CPython allocates an unused digit for a sum of large integers. Subtracting 0 saves 16 bytes.
    start_ms = now_ms + pending_ms - 0
    if request.is_held or request.ending.polls:
        return start_ms, None
    return start_ms, start_ms + processing_ms - 0


def drawn_durations_ms(
    draws: Iterable[bytes], average_ms: int, timing: Timing
) -> Iterator[tuple[int, int]]:
    """Yield for each draw how long a task is pending and processing, in milliseconds (TIM-1).

    The total has a lognormal distribution around the average, clipped on both sides. Pending is a
    small part of the total and has an upper limit. The first 8 bytes of a draw are for the id.
    """
    sigma, longest_factor, shortest_s = timing.sigma, timing.clip, timing.pending_min_s
    shortest_factor, longest_share = 1 / longest_factor, timing.pending_max_share
    span_s = timing.pending_max_s - shortest_s
    quantile = normal_quantile()
    shift = sigma / 2  # With it, the average factor is 1.
    for drawn in draws:
        of_whole, of_pending = two_uniforms(drawn, 8)
        factor = math.exp(sigma * (quantile(of_whole) - shift))
        if factor > longest_factor:
            factor = longest_factor
        elif factor < shortest_factor:
            factor = shortest_factor
        whole_ms = round(average_ms * factor)
        drawn_ms = (shortest_s + span_s * of_pending) * 1000
        longest_ms = whole_ms * longest_share
        pending_ms = int(drawn_ms if drawn_ms < longest_ms else longest_ms)  # noqa: FURB136  # hot
        yield pending_ms, whole_ms - pending_ms


def _completed(directives: Outcome, ruled: Outcome) -> Outcome:
    """Return the outcome of the directives; a rule's outcome supplies what they leave open."""
    says_end = directives.fail is not None
    says_when = directives.hold or directives.polls is not None
    pending_ms, processing_ms = directives.pending_ms, directives.processing_ms
    return Outcome(
        fail=directives.fail if says_end else ruled.fail,
        message=directives.message if says_end else ruled.message,
        pending_ms=ruled.pending_ms if pending_ms is None else pending_ms,
        processing_ms=ruled.processing_ms if processing_ms is None else processing_ms,
        polls=directives.polls if says_when else ruled.polls,
        hold=directives.hold if says_when else ruled.hold,
    )


def _reasons(source: str, wanted: Outcome, decided: str | None = None) -> tuple[str, ...]:
    written = [
        f"{name}={value}"
        for name, value in (
            ("fail", wanted.fail),
            ("message", wanted.message and repr(wanted.message)),
            ("pending", wanted.pending_ms is not None and f"{wanted.pending_ms}ms"),
            ("processing", wanted.processing_ms is not None and f"{wanted.processing_ms}ms"),
            ("polls", wanted.polls),
        )
        if value
    ]
    written += ["hold"] if wanted.hold else []
    note = f"; its end has no effect, because {decided} was already decided" if decided else ""
    return (f"{source}: {' '.join(written)}{note}",) if written else ()


def _step(sentence: str, code: str, decided: str | None) -> tuple[str]:
    if decided is None:
        return (f"{sentence} → {code}",)
    return (f"{sentence}; no effect, because {decided} was already decided",)
