"""FAIL-1 and FAIL-2: how a task ends follows from its prompt and its reference images."""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from contract_tests.server.checkers.trace import Task, Trace
from contract_tests.server.checkers.views import View, views_of
from contract_tests.server.checkers.violation import Violation

_VIOLATING: Final = re.compile(r"\b(gore|hentai|pornography|beheading)\b", re.IGNORECASE)
# Other prompts may contain a moderated word in a form that this module does not recognise.
_HARMLESS: Final = re.compile(
    r"an? (red |blue |white |lonely |quiet )?(fox|hare|whale|owl|cat|dog|boat|tree|lighthouse)"
    r"( (in|on|under|at) the [a-z]{3,8})?",
)
_BY_IMAGE: Final = "INVALID_IMAGE_URL"
_BY_PROMPT: Final = "CONTENT_VIOLATION"
_TRUSTED: Final = re.compile(r"https://images\.example\.com/[\w.-]+\.(png|jpe?g|webp)", re.ASCII)


def check_outcomes(trace: Trace) -> Iterator[Violation]:
    """Judge the end of each task whose end the contract determines."""
    for task in trace.tasks:
        sandbox = task.sandbox
        is_decided = task.forced or sandbox.has_outcomes or task.order.has_directives
        if not sandbox.is_plain or is_decided:
            continue
        final = next((view for view in views_of(task) if view.is_final), None)
        if final is not None:
            yield from _judge(trace, task, final)


def _judge(trace: Trace, task: Task, final: View) -> Iterator[Violation]:
    order = task.order
    codes = set()
    # A live service decides itself which prompts it allows.
    if _VIOLATING.search(order.prompt) and not trace.target.is_live and _has_default_words(trace):
        codes.add(_BY_PROMPT)
    if any(_is_unreachable(url) for url in order.references):
        codes.add(_BY_IMAGE)
    if codes:
        if final.state != "failed" or final.data.get("failCode") not in _accepted(codes, task):
            clause = "FAIL-1" if _BY_PROMPT in codes else "FAIL-2"
            yield Violation(
                clause=clause,
                kind="code",
                expected=f"the task fails with {' or '.join(sorted(codes))}",
                seen=final.shown,
                event=final.number,
            )
    elif trace.has_control and final.state == "failed" and _is_flawless(task):
        code = final.data.get("failCode")
        yield Violation(
            clause="FAIL-1" if code == _BY_PROMPT else "FAIL-2" if order.references else "FAIL-3",
            kind="success",
            expected="a task with a harmless prompt and usable images succeeds",
            seen=final.shown,
            event=final.number,
        )


def _accepted(codes: set[str], task: Task) -> set[str]:
    if task.submit.settings.get("image_fail_codes") == "docs" and _BY_IMAGE in codes:
        return codes | {"IMAGE_DOWNLOAD_FAILED"}
    return codes


def _has_default_words(trace: Trace) -> bool:
    return not (trace.target.info or {}).get("moderation")


def _is_unreachable(url: str) -> bool:
    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return False
    return host.endswith(".invalid") and host != "receiver.invalid"


def _is_flawless(task: Task) -> bool:
    """Return whether nothing in the order can make a mock with default settings fail the task."""
    order = task.order
    trusts = task.submit.settings.get("image_urls") == "trust"
    return bool(_HARMLESS.fullmatch(order.prompt)) and (
        not order.references
        or (trusts and all(_TRUSTED.fullmatch(url) for url in order.references))
    )
