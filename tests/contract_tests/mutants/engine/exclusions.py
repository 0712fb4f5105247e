"""Combinations of alteration and context that are no mutants, each with the reason."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.contract_tests.mutants.engine.alterations import Alteration
from tests.contract_tests.mutants.engine.contexts import Context


@dataclass(frozen=True, kw_only=True)
class Exclusion:
    """`excludes` tells whether the rule is about a combination."""

    reason: str
    excludes: Callable[[Alteration, Context], bool]


_OF_A_FAILURE = frozenset({"failed", "delivery", "retry", "other", "many-failed"})
_WITHOUT_TASK = frozenset({"error", "limit", "invalid"})
_REJECTED = frozenset({"second-task", "another-key-acts", "after-a-rejection"})
_FAILING = frozenset({"moderated", "bad-references", "injected-failures"})


def _named(alterations: str, contexts: str) -> Callable[[Alteration, Context], bool]:
    """Exclude each of these alterations in each of these contexts."""
    return lambda alteration, context: (
        alteration.name in alterations.split() and context.name in contexts.split()
    )


EXCLUSIONS = (
    Exclusion(
        reason="The place has no such context: a balance has no picture, a submit no age.",
        excludes=lambda alteration, context: context.about not in alteration.about,
    ),
    Exclusion(
        reason="The place exists only for tasks that do not fail.",
        excludes=lambda alteration, context: (
            context.about == "end" and not alteration.when & _OF_A_FAILURE
        ),
    ),
    Exclusion(
        reason="Callbacks are sent at the end, and the place exists only before it.",
        excludes=lambda alteration, context: (
            context.name == "callbacks-only" and alteration.when == {"begin"}
        ),
    ),
    Exclusion(
        reason="A task that has not ended is never that old.",
        excludes=lambda alteration, context: (
            context.about == "age" and alteration.when == {"begin"}
        ),
    ),
    Exclusion(
        reason="After 15 days, a picture cannot be downloaded any more.",
        excludes=lambda alteration, context: (
            context.name == "after-15-days" and "picture" in alteration.when
        ),
    ),
    Exclusion(
        reason="The alteration is about the age itself, so the context adds nothing.",
        excludes=lambda alteration, context: (
            context.about == "age" and "expiry" in alteration.place
        ),
    ),
    Exclusion(
        reason="A rejected request creates no task, so it is nobody's second one.",
        excludes=lambda alteration, context: (
            context.name in _REJECTED and bool(alteration.when & _WITHOUT_TASK)
        ),
    ),
    Exclusion(
        reason="No other key can act between a submit and its own answer.",
        excludes=lambda alteration, context: (
            context.name == "another-key-acts" and alteration.when == {"submit"}
        ),
    ),
    Exclusion(
        reason="Only callback tasks have callbacks: the same mutant as always.",
        excludes=lambda alteration, context: (
            context.name == "callback-tasks" and bool(alteration.when & {"delivery", "retry"})
        ),
    ),
    Exclusion(
        reason="The alteration changes nothing in this context.",
        excludes=lambda alteration, context: (
            _named("swap-count-by-2", "two-images")(alteration, context)
            or _named("swap-ratio-by-3-2", "ratio-3-2")(alteration, context)
            or _named("stale-complete-time", "callbacks-only")(alteration, context)
            or _named("reorder-result-url", "status-only after-two-polls after-an-hour"
                      " after-14-days after-15-days")(alteration, context)
        ),
    ),
    Exclusion(
        reason="Which code another failure has is not part of the contract.",
        excludes=lambda alteration, context: (
            alteration.place == "fail-code" and alteration.operator in {"recase", "swap"}
            and context.name == "injected-failures"
        ),
    ),
    Exclusion(
        reason="A moderated prompt is short and plain in the documents; no page has others.",
        excludes=lambda alteration, context: (
            alteration.when == {"moderated"} and context.name == "long-prompts"
        ),
    ),
)  # fmt: skip


def exclusion_of(alteration: Alteration, context: Context) -> Exclusion | None:
    """Return the first rule that excludes a combination."""
    return next(
        (rule for rule in EXCLUSIONS if rule.excludes(alteration, context)), None
    )  # fmt: skip
