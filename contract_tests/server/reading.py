"""Reads parts of responses without trusting their content."""

import json
from email.utils import parsedate_to_datetime
from typing import Any

from contract_tests.contract.fail_codes import named_fail_code
from contract_tests.contract.provider import FINAL
from contract_tests.server.answer import Answer


def data_of(answer: Answer) -> dict[str, Any]:
    """Return the envelope's `data`, or an empty object if it is not an object."""
    return answer.data if isinstance(answer.data, dict) else {}


def task_id_of(answer: Answer) -> str | None:
    """Return the task id in the answer to a submit, or None if there is none or it is empty."""
    return (_text(answer, "taskId") or None) if answer.status == 200 else None


def fail_code_at_once(answer: Answer) -> str | None:
    """Return the fail code with which a submit was rejected, if any (FAIL-6)."""
    if not 400 <= answer.status < 500:
        return None
    return named_fail_code(answer.response.body.decode("utf-8", "replace"))


def state_of(answer: Answer) -> str | None:
    return _text(answer, "state") if answer.status == 200 else None


def has_ended(answer: Answer) -> bool:
    return state_of(answer) in FINAL


def result_urls(answer: Answer) -> list[str]:
    """Return the URLs in `resultJson`; empty if it has no list of texts."""
    try:
        urls = json.loads(_text(answer, "resultJson") or "")["resultUrls"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return []
    is_list = isinstance(urls, list) and all(isinstance(url, str) for url in urls)
    return list(urls) if is_list else []


def canonical(body: bytes) -> str | None:
    """Return JSON in a canonical form for comparison, or None if it is not JSON."""
    try:
        return json.dumps(json.loads(body), sort_keys=True)
    except (ValueError, RecursionError):
        return None


def date_s(answer: Answer) -> float | None:
    """Return the answer's Date header in Unix seconds."""
    try:
        return parsedate_to_datetime(answer.response.header("date") or "").timestamp()
    except ValueError:
        return None


def retry_after_s(answer: Answer) -> int | None:
    """Return Retry-After if it is a whole number of seconds, at least 1."""
    written = answer.response.header("retry-after") or ""
    is_number = written.isascii() and written.isdecimal() and len(written) < 10
    return int(written) if is_number and int(written) >= 1 else None


def _text(answer: Answer, name: str) -> str | None:
    value = data_of(answer).get(name)
    return value if isinstance(value, str) else None
