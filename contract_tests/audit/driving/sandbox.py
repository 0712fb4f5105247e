"""The sandbox of one case, as the audit stages it and reads it."""

import re
import secrets
from typing import Any, Final

import httpx

from contract_tests.audit.evidence import Ended, Evidence, evidence_of
from contract_tests.audit.situation import Situation
from contract_tests.targets import BadTarget

_ALL: Final = 9_999_999  # more than a sandbox holds
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
        """Raise BadTarget, httpx.HTTPError."""
        if situation.settings:
            self._call("PATCH", "sandbox", dict(situation.settings))
        self._call("PUT", "rules", {"rules": list(situation.staged)})
        self._strangers = self._unauthorized()

    def evidence(self, ended: Ended | None = None) -> Evidence:
        """Return what has happened so far. Raises BadTarget, httpx.HTTPError."""
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
            raise BadTarget(f"{method} /_mock/{path}: {answer.status_code} {answer.text[:500]}")
        told: dict[str, Any] = answer.json()
        return told
