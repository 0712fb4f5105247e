"""Compares answers with what the model expects. Each comparison is a claim about one clause."""

from collections.abc import Iterator

from contract_tests.server.answer import Answer
from contract_tests.server.checkers.pictures import decode_picture
from contract_tests.server.model.model import Expected
from contract_tests.server.model.outcomes import Outcome
from contract_tests.server.model.submissions import RATIOS
from contract_tests.server.model.tasks import KnownTask
from contract_tests.server.reading import fail_code_at_once, retry_after_s
from contract_tests.server.traffic.claims import Claim


def judge_status_code(expected: Expected, answer: Answer) -> Iterator[Claim]:
    """Compare the HTTP status, the paths that an error names, and Retry-After."""
    statuses = sorted(expected.statuses)
    shown = " or ".join(str(status) for status in statuses)
    yield Claim(
        clause=_clause_of(expected, answer.status),
        holds=answer.status in expected.statuses,
        expected=f"HTTP {shown}: {expected.because}",
        python=f"answer.status_code in {statuses}",
        is_choice=expected.is_choice,
    )
    if answer.status == 400 and expected.names:
        text = answer.response.body.decode("utf-8", "replace")
        yield Claim(
            clause="SUB-14",
            holds=any(name in text for name in expected.names),
            expected=f"an error that names {' or '.join(expected.names)}",
            python=f"any(name in answer.text for name in {list(expected.names)})",
        )
    if answer.status == 429 and expected.retry_after_s is not None:
        least, most = expected.retry_after_s
        waits_s = retry_after_s(answer)
        exact = least if most is None else f"{least} to {most}" if most > least else least
        yield Claim(
            clause="LIM-5",
            holds=waits_s is not None and least <= waits_s <= (most or waits_s),
            expected=f"Retry-After of {exact} seconds" + (" or more" if most is None else ""),
            python=f'{least} <= int(answer.headers["retry-after"]) <= {most or 10**9}',
        )


def judge_failure_at_once(outcome: Outcome, answer: Answer) -> Iterator[Claim]:
    """Require a fail code of a submit that is rejected with 400 because its task would fail."""
    if answer.status != 400 or answer.lacks_credit:
        return
    yield Claim(
        clause=outcome.clause,
        holds=fail_code_at_once(answer) is not None,
        expected=f"a submit that is accepted, and a task that fails with"
        f" {' or '.join(sorted(outcome.codes))}; or a submit that fails with a fail code (FAIL-6)",
        python="answer.status_code == 200",
    )


def task_limit(expected: Expected, answer: Answer) -> Claim:
    """Return the claim that a submit is rejected exactly at the limit of tasks (LIM-2)."""
    may_be = 429 in expected.statuses
    must_be = may_be and len(expected.statuses) == 1
    return Claim(
        clause="LIM-2",
        holds=must_be == (answer.status == 429) or (may_be and not must_be),
        expected=f"HTTP 429 {'now' if must_be else 'only at the limit'}: {expected.because}",
        python=f"(answer.status_code == 429) == {must_be}",
    )


def judge_balance(
    expected: tuple[int, int] | None, answer: Answer, *, clause: str
) -> Iterator[Claim]:
    """Compare the balance; one in whole cents may be rounded."""
    is_number = type(answer.data) in {int, float}
    yield Claim(
        clause="BIL-2",
        holds=is_number,
        expected="a number of US dollars in data",
        python="isinstance(data, (int, float))",
    )
    if not is_number or expected is None:
        return
    low, high = (each / 1e6 for each in expected)
    shown = f"${low:g}" if low == high else f"${low:g} to ${high:g}"
    yield Claim(
        clause=clause,
        holds=low - 0.005001 <= answer.data <= high + 0.005001
        if answer.data == round(answer.data, 2)
        else low - 1e-6 <= answer.data <= high + 1e-6,
        expected=f"a balance of {shown}: each image of a successful task is paid, no failed task",
        python=f"{low - 0.005:.3f} <= data <= {high + 0.005:.3f}",
    )


def judge_download(
    task: KnownTask, answer: Answer, *, is_available: bool | None
) -> Iterator[Claim]:
    """Compare a download: there until the results expire, in the requested ratio."""
    if is_available is None:
        return
    if not is_available:
        yield Claim(
            clause="RES-1",
            holds=answer.status in {403, 404, 410},
            expected="HTTP 403, 404 or 410: the results have expired",
            python="answer.status_code in {403, 404, 410}",
        )
        return
    yield Claim(
        clause="RES-1",
        holds=answer.status == 200,
        expected="HTTP 200: the result is available",
        python="answer.status_code == 200",
    )
    if answer.status != 200:
        return
    picture = decode_picture(answer.response.body)
    ratio = task.ratio or RATIOS[0]
    # What other ratios become is not in the contract (SUB-19).
    fits = picture is not None and (ratio not in RATIOS or picture.has_ratio(ratio))
    seen = "no image" if picture is None else f"{picture.width} x {picture.height} pixels"
    yield Claim(
        clause="RES-2",
        holds=fits,
        expected=f"an image of the ratio {ratio}",
        python='answer.headers["content-type"].startswith("image/")',
        seen=f"HTTP {answer.status}, {seen}",
    )


def _clause_of(expected: Expected, status: int) -> str:
    """Return the clause that an unexpected status violates: a wrong 429 is about a limit."""
    if status == 429 and 429 not in expected.statuses:
        return "LIM-1"
    return expected.clause
