"""The sandbox of one test."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from hashlib import sha256
from secrets import token_hex
from typing import Any, Self, overload
from urllib.parse import quote

from mock_server.testing.control import Control, Json
from mock_server.testing.story import SHOWN_TASKS, story

_LEAST_S = 0.001  # the clock counts milliseconds
_ALL = 9_999_999  # more than a sandbox holds


class ContractBroken(AssertionError):
    """The client has broken the contract; the message says where, and what to change."""


class ApixoMock:
    """Everything of one API key on a mock server. Durations are seconds, or text such as "15d"."""

    def __init__(self, base_url: str, api_key: str, control: Control) -> None:
        self.base_url = base_url
        self.api_key = api_key
        self.rules = Rules(control)
        self.journal = Journal(control)
        self._control = control

    def __repr__(self) -> str:
        return f"ApixoMock({self.base_url!r})"

    @classmethod
    @contextmanager
    def begun(cls, base_url: str, *, seed: int | None = None, name: str = "") -> Iterator[Self]:
        """Begin with a new key on a manual clock; drop everything at the end.

        The same `seed` and `name` give the same chance and the same task ids, whatever the key;
        so no two such may live on one server at once. Without a seed all of it is new.
        """
        key = f"apixo-test-{token_hex(16)}"
        with closing(Control(base_url, key)) as control:
            control.call("PUT", "/clock", {"mode": "manual"})
            try:
                if seed is not None:
                    origin = sha256(f"{seed} {name}".encode()).hexdigest()[:16]
                    empty = control.call("GET", "/sandbox/snapshot")
                    control.call(
                        "PUT", "/sandbox/snapshot", empty | {"seed": seed, "origin": origin}
                    )
                yield cls(base_url, key, control)
            finally:
                control.call("DELETE", "/sandbox")

    def advance(self, seconds: float | str) -> list[Json]:
        """Move the clock on; return the callback attempts that were made on the way.

        Nothing is no error: a client may draw a pause of 0 s.
        """
        if not isinstance(seconds, str) and 0 <= seconds < _LEAST_S:
            return []
        fired: list[Json] = self._control.call("POST", "/clock/advance", {"seconds": seconds})[
            "fired"
        ]
        return fired

    @property
    def now_ms(self) -> int:
        now_ms: int = self._control.call("GET", "/clock")["now_ms"]
        return now_ms

    def configure(self, **settings: object) -> Json:
        """Change settings such as `rate_limit`, `balance` or `profile`; return all of them."""
        shown: Json = self._control.call("PATCH", "/sandbox", settings)["settings"]
        return shown

    def next(
        self, *, count: int = 1, match: Json | None = None, fail: str | None = None,
        message: str | None = None, **apply: Any,
    ) -> None:  # fmt: skip
        """Inject something into the next `count` requests or callbacks that it fits.

        `fail="CONTENT_VIOLATION"` is short for `outcome={"fail": …}`; others are `outcome`,
        `refuse`, `latency`, `wire`, `meaning` and `callback`, as in a rule.
        """
        if fail is not None:
            outcome = {"fail": fail} if message is None else {"fail": fail, "message": message}
            apply["outcome"] = dict(apply.get("outcome") or {}) | outcome
        body = {"apply": apply, "count": count}
        self._control.call("POST", "/next", body if match is None else body | {"match": match})

    @property
    def tasks(self) -> list[Json]:
        """All tasks, newest first."""
        tasks: list[Json] = self._control.call("GET", "/tasks", query={"limit": _ALL})["tasks"]
        return tasks

    def task(self, task_id: str) -> Json:
        """Return a task with its plan, timeline and explanation."""
        return self._control.call("GET", _path(task_id))

    def finish(self, task_id: str, **outcome: str) -> Json:
        """End a task now: `state="failed"`, `failCode="…"`, success by default."""
        body = outcome or {"state": "success"}
        return self._control.call("POST", f"{_path(task_id)}/finish", body)

    @property
    def callbacks(self) -> list[Json]:
        """The deliveries with their attempts."""
        deliveries: list[Json] = self._control.call("GET", "/callbacks")["deliveries"]
        return deliveries

    @overload
    def wait_for(
        self, operation: str, *, count: int = 1, task: str | None = None, timeout: float = 5.0
    ) -> list[Json]: ...
    @overload
    def wait_for(self, *, task: str, state: str, timeout: float = 5.0) -> Json: ...
    def wait_for(
        self, operation: str | None = None, *, count: int = 1, task: str | None = None,
        state: str | None = None, timeout: float = 5.0,
    ) -> list[Json] | Json:  # fmt: skip
        """Wait until the journal has `count` entries of an operation, or a task is in a state.

        Raises NotYet with what was seen.
        """
        if state is not None:
            query = {"state": state, "timeout": timeout}
            return self._control.call("GET", f"{_path(task)}/wait", query=query)
        entries: list[Json] = self._control.call(
            "GET",
            "/journal/wait",
            query={"operation": operation, "task": task, "count": count, "timeout": timeout},
        )["entries"]
        return entries

    def audit(self, *, strict: bool = False) -> Json:
        """Judge what the client has done so far by the contract; return the report.

        Raises ContractBroken, an AssertionError, for what is a FAIL; with `strict` for a WARN, too.
        What the client never met is INCONCLUSIVE in the report, and fails nothing.
        """
        report = self._control.call("GET", "/audit")
        bad = {"FAIL", "WARN"} if strict else {"FAIL"}
        broken = [rule for rule in report["rules"] if rule["verdict"] in bad]
        if broken:
            raise ContractBroken("\n".join(_sentence(rule) for rule in broken))
        return report

    def told(self) -> str:
        """Return what has happened, for a person to read."""
        tasks = self.tasks
        newest = [self.task(task["task_id"]) for task in tasks[:SHOWN_TASKS]]
        return story(newest, len(tasks), self.journal.entries(), secret=self.api_key)


def _sentence(rule: Json) -> str:
    clauses = ", ".join(rule["clauses"])
    return (
        f"{rule['verdict']} {rule['id']} ({clauses}): expected that {rule['title']}; "
        f"seen: {rule['reason']}. {rule['advice']}"
    )


class Rules:
    """The sandbox's ordered rules; the first that matches is applied."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def __iter__(self) -> Iterator[Json]:
        return iter(self._rules("GET"))

    def __len__(self) -> int:
        return len(self._rules("GET"))

    def set(self, rules: Sequence[Json]) -> list[Json]:
        return self._rules("PUT", {"rules": list(rules)})

    def add(self, apply: Json, match: Json | None = None) -> list[Json]:
        """Add a rule, last in the list."""
        return self._rules("POST", {"match": match or {}, "apply": apply})

    def clear(self) -> None:
        self._rules("DELETE")

    def _rules(self, method: str, body: object = None) -> list[Json]:
        rules: list[Json] = self._control.call(method, "/rules", body)["rules"]
        return rules


class Journal:
    """What was asked and answered, oldest first."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def __iter__(self) -> Iterator[Json]:
        return iter(self.entries())

    def __len__(self) -> int:
        return self.count()

    def entries(
        self, operation: str | None = None, *, task: str | None = None, since: int | None = None
    ) -> list[Json]:
        query = {"operation": operation, "task": task, "since": since, "limit": _ALL}
        entries: list[Json] = self._control.call("GET", "/journal", query=query)["entries"]
        return entries

    def count(self, operation: str | None = None, *, task: str | None = None) -> int:
        count: int = self._control.call(
            "POST", "/journal/count", {"operation": operation, "task": task}
        )["count"]
        return count

    def har(self) -> Json:
        """Return the journal as HAR 1.2."""
        return self._control.call("GET", "/journal", query={"format": "har"})


def _path(task_id: str | None) -> str:
    return f"/tasks/{quote(str(task_id), safe='')}"
