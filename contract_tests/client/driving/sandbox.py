"""The sandbox of one case, as the audit stages it and reads it."""

import re
import secrets
import time
from typing import Any, Final

import httpx

from contract_tests.client.evidence import Evidence
from contract_tests.client.exchange import Ended
from contract_tests.client.journal_reader import evidence_of
from contract_tests.client.situation import Situation
from contract_tests.contract.errors import TargetError

_ALL: Final = 9_999_999  # more than a sandbox holds
_PATIENCE_S: Final = 10.0  # twice as long as the slowest answer that is staged
_LOOK_EVERY_S: Final = 0.05
_UNAUTHORIZED: Final = re.compile(r"^apixo_mock_unauthorized_total (\d+)", re.MULTILINE)


def new_key(case_id: str) -> str:
    return f"audit-{case_id}-{secrets.token_hex(8)}"


class AuditedSandbox:
    """Everything of one key; `http` has the mock's address as its base."""

    def __init__(self, http: httpx.Client, key: str) -> None:
        self.key = key
        self._http = http
        self._strangers = 0

    def stage(self, situation: Situation) -> None:
        """Raise TargetError, httpx.HTTPError."""
        if situation.settings:
            self._call("PATCH", "sandbox", dict(situation.settings))
        self._call("PUT", "rules", {"rules": list(situation.staged)})
        self._strangers = self._unauthorized()

    def wait_for_slow_answers(self) -> None:
        """Return when answers are written down that a client may not have waited for.

        A rule delays them in real time, and the journal has them only then. Raises as the others.
        """
        until_s = time.monotonic() + _PATIENCE_S
        while time.monotonic() < until_s and self._has_slow_answers():
            time.sleep(_LOOK_EVERY_S)

    def evidence(self, ended: Ended | None = None) -> Evidence:
        """Return what has happened so far. Raises TargetError, httpx.HTTPError."""
        return evidence_of(
            self._call("GET", f"journal?limit={_ALL}"),
            self._call("GET", f"tasks?limit={_ALL}")["tasks"],
            is_manual=self._call("GET", "clock")["mode"] == "manual",
            ended=ended,
            unauthorized=self._unauthorized() - self._strangers,
        )

    def newest(self) -> int:
        """Return how many exchanges there have been."""
        counters = self._call("GET", "sandbox")["counters"]
        return int(counters["journal_entries"]) + int(counters["journal_dropped"])

    def drop(self) -> None:
        self._call("DELETE", "sandbox")

    def _has_slow_answers(self) -> bool:
        slow: dict[str, int] = {
            rule["id"]: rule["applied"]
            for rule in self._call("GET", "rules")["rules"]
            if "latency" in rule["apply"]
        }
        if not any(slow.values()):
            return False
        entries = self._call("GET", f"journal?limit={_ALL}")["entries"]
        written_down = sum(each["rule"] in slow for each in entries)
        return written_down < sum(slow.values())

    def _unauthorized(self) -> int:
        found = _UNAUTHORIZED.search(self._http.get("/_mock/metrics").text)
        return int(found[1]) if found else 0

    def _call(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        answer = self._http.request(
            method,
            f"/_mock/{path}",
            json=body,
            headers={"Authorization": f"Bearer {self.key}"},
        )
        if answer.status_code == 204:
            return {}
        if answer.status_code != 200:
            raise TargetError(f"{method} /_mock/{path}: {answer.status_code} {answer.text[:500]}")
        told: dict[str, Any] = answer.json()
        return told
