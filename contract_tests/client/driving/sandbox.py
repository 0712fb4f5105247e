"""The sandbox of one case: stages a situation and reads the evidence through the control plane."""

import re
import secrets
import time
from threading import Event
from typing import Any, Final

import httpx
import msgspec

from contract_tests.client.evidence import Evidence
from contract_tests.client.journal_reader import read_evidence
from contract_tests.client.records import ClientExit, Trait
from contract_tests.client.situation import Situation
from contract_tests.contract.errors import TargetError

# SUB-19: the pages disagree, so values that one of them lists get advice, not a 400.
_SETTINGS: Final = {"general_parameters": "accept"}
_MORE: Final = ", and more snow"
_NO_LIMIT: Final = 9_999_999  # No sandbox keeps this many entries.
_MAX_DELAY_S: Final = 60.0  # Much longer than any delay in a situation.
_MAX_PICTURES: Final = 100
_POLL_INTERVAL_S: Final = 0.05
_UNAUTHORIZED: Final = re.compile(r"^apixo_mock_unauthorized_total (\d+)", re.MULTILINE)
_ANY_REQUEST: Final = re.compile(
    r"^apixo_mock_(?:requests_total\{.*\}|unauthorized_total) (?!0(?:\.0)?$)", re.MULTILINE
)


def new_key(case_id: str) -> str:
    """Return a fresh API key for a case."""
    return f"audit-{case_id}-{secrets.token_hex(8)}"


def prompt_of(situation: Situation) -> str:
    """Return the prompt for a client in a situation.

    It has characters that a wrong encoding damages.
    """
    prompt = f"a red fox in the snow, café 狐 🦊, case {situation.id}"
    missing = situation.prompt_length - len(prompt)
    return prompt + _MORE * -(-missing // len(_MORE)) if missing > 0 else prompt


class CaseSandbox:
    """The sandbox of one key; the base URL of `http` is the mock's address.

    Every method raises TargetError if the mock rejects a call, and httpx.HTTPError if it cannot
    be reached.
    """

    def __init__(self, http: httpx.Client, key: str) -> None:
        self.key = key
        self._http = http
        self._unauthorized_before = 0

    def stage(self, situation: Situation) -> None:
        """Apply the settings and the rules of a situation."""
        self._call("PATCH", "sandbox", _SETTINGS | dict(situation.settings))
        self._call("PUT", "rules", {"rules": list(situation.staged)})
        self._unauthorized_before = self._count_unauthorized()

    def has_mock_been_reached(self) -> bool:
        """Tell whether any client has sent a request to the API of this mock."""
        return bool(_ANY_REQUEST.search(self._http.get("/_mock/metrics").text))

    def wait_for_slow_responses(self, stop: Event) -> None:
        """Wait until the journal has the delayed responses, for a limited time or until `stop`.

        The mock records a delayed response only when it sends it. The client may have stopped
        waiting before that.
        """
        until_s = time.monotonic() + _MAX_DELAY_S
        while time.monotonic() < until_s and self._has_slow_responses():
            if stop.wait(_POLL_INTERVAL_S):
                return

    def evidence(
        self,
        client_exit: ClientExit | None = None,
        prompt: str | None = None,
        declared: frozenset[Trait] = frozenset(),
    ) -> Evidence:
        """Return what has happened in the sandbox so far.

        The results are part of it if the client stored files. Rules no longer apply afterwards.
        """
        evidence = read_evidence(
            self._call("GET", f"journal?limit={_NO_LIMIT}"),
            self._call("GET", f"tasks?limit={_NO_LIMIT}")["tasks"],
            is_manual=self._call("GET", "clock")["mode"] == "manual",
            client_exit=client_exit,
            prompt=prompt,
            declared=declared,
            unauthorized=self._count_unauthorized() - self._unauthorized_before,
        )
        if client_exit is None or client_exit.files is None:
            return evidence
        return msgspec.structs.replace(evidence, pictures=self.pictures(evidence))

    def count_of(self, operation: str) -> int:
        """Return the number of exchanges of an operation."""
        body = {"operation": operation}
        return int(self._call("POST", "journal/count", body)["count"])

    def rule_hits(self) -> dict[int, int]:
        """Return how often each rule was applied, by its position."""
        rules = self._call("GET", "rules")["rules"]
        return {place: rule["applied"] for place, rule in enumerate(rules)}

    def prompts(self) -> dict[str, str]:
        """Return the prompt of each task by its id."""
        tasks = self._call("GET", f"tasks?limit={_NO_LIMIT}")["tasks"]
        return {task["task_id"]: task["prompt"] for task in tasks}

    def count_exchanges(self) -> int:
        """Return the number of exchanges so far, including those that the journal dropped."""
        counters = self._call("GET", "sandbox")["counters"]
        return int(counters["journal_entries"]) + int(counters["journal_dropped"])

    def delete(self) -> None:
        """Delete the sandbox with its tasks and its journal."""
        self._call("DELETE", "sandbox?remove=true")

    def pictures(self, evidence: Evidence) -> dict[str, bytes]:
        """Return the pictures of the tasks by URL. Rules no longer apply afterwards."""
        self._call("DELETE", "rules")
        urls = [url for task in evidence.tasks for url in task.result_urls]
        pictures = {}
        for url in urls[:_MAX_PICTURES]:
            response = self._http.get(url)
            if response.status_code == 200:
                pictures[url] = response.content
        return pictures

    def _has_slow_responses(self) -> bool:
        """Tell whether a rule has delayed more responses than the journal has."""
        slow: dict[str, int] = {
            rule["id"]: rule["applied"]
            for rule in self._call("GET", "rules")["rules"]
            if "latency" in rule["apply"]
        }
        if not any(slow.values()):
            return False
        entries = self._call("GET", f"journal?limit={_NO_LIMIT}")["entries"]
        recorded = sum(each["rule"] in slow for each in entries)
        return recorded < sum(slow.values())

    def _count_unauthorized(self) -> int:
        found = _UNAUTHORIZED.search(self._http.get("/_mock/metrics").text)
        return int(found[1]) if found else 0

    def _call(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        response = self._http.request(
            method,
            f"/_mock/{path}",
            json=body,
            headers={"Authorization": f"Bearer {self.key}"},
        )
        if response.status_code == 204:
            return {}
        if response.status_code != 200:
            raise TargetError(
                f"{method} /_mock/{path}: unexpected status {response.status_code}:"
                f" {response.text[:500]}"
            )
        content: dict[str, Any] = response.json()
        return content
