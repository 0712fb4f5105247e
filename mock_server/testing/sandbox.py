"""The sandbox of one test, controlled over HTTP."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from hashlib import sha256
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Self, overload
from urllib.parse import quote

from mock_server.testing.control import Control, Json
from mock_server.testing.timeline import MAX_TASKS, format_timeline

if TYPE_CHECKING:
    from mock_server.testing.client_call import Client
    from mock_server.testing.exploring import Exploration

_CLOCK_STEP_S = 0.001  # The clock counts milliseconds.
_NO_LIMIT = 9_999_999  # No sandbox has this many tasks or entries.


class ContractViolation(AssertionError):
    """The client violates the contract; the message says where, and what to change."""


class ApixoMock:
    """The sandbox of one API key on a mock server.

    Durations are seconds of the sandbox's clock, or text such as "15d". Timeouts are real seconds.
    A rejected control call raises ControlError.
    """

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
        """Create a sandbox with a new key and a manual clock; delete it when the block ends.

        The same `seed` and `name` give the same outcomes and task ids with any key.
        Two such sandboxes therefore cannot exist on one server at the same time. Without a seed
        every sandbox is different.
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
                control.call("DELETE", "/sandbox", query={"remove": "true"})

    def advance(self, seconds: float | str) -> list[Json]:
        """Move the clock forward; return the callback attempts that became due.

        Less than a millisecond has no effect, because a client may compute a pause of 0 s.
        """
        if not isinstance(seconds, str) and 0 <= seconds < _CLOCK_STEP_S:
            return []
        body = {"seconds": seconds}
        attempts: list[Json] = self._control.call("POST", "/clock/advance", body)["fired"]
        return attempts

    @property
    def now_ms(self) -> int:
        """The sandbox's current instant in Unix milliseconds."""
        now_ms: int = self._control.call("GET", "/clock")["now_ms"]
        return now_ms

    def use_real_clock(self) -> None:
        """Let the clock run in real time, for a client that cannot move it."""
        self._control.call("PUT", "/clock", {"mode": "real"})

    def configure(self, **settings: object) -> Json:
        """Change settings such as `rate_limit`, `balance` or `profile`; return all settings."""
        changed: Json = self._control.call("PATCH", "/sandbox", settings)["settings"]
        return changed

    def next(
        self, *, count: int = 1, match: Json | None = None, fail: str | None = None,
        message: str | None = None, **apply: Any,
    ) -> None:  # fmt: skip
        """Apply an effect to the next `count` requests or callbacks that match.

        The effects are those of a rule: `outcome`, `refuse`, `latency`, `wire`, `meaning` and
        `callback`. `fail="CONTENT_VIOLATION"` is short for `outcome={"fail": …}`.
        """
        if fail is not None:
            outcome = {"fail": fail} if message is None else {"fail": fail, "message": message}
            apply["outcome"] = dict(apply.get("outcome") or {}) | outcome
        body = {"apply": apply, "count": count}
        self._control.call("POST", "/next", body if match is None else body | {"match": match})

    @property
    def tasks(self) -> list[Json]:
        """All tasks, newest first."""
        tasks: list[Json] = self._control.call("GET", "/tasks", query={"limit": _NO_LIMIT})["tasks"]
        return tasks

    def task(self, task_id: str) -> Json:
        """Return a task with its plan, timeline and explanation."""
        return self._control.call("GET", _path(task_id))

    def finish(self, task_id: str, **outcome: str) -> Json:
        """End a task now and return it; a success, or `state="failed", failCode="…"`."""
        body = outcome or {"state": "success"}
        return self._control.call("POST", f"{_path(task_id)}/finish", body)

    @property
    def callbacks(self) -> list[Json]:
        """All deliveries of callbacks with their attempts."""
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
        """Wait for `count` journal entries of an operation, or for a task to reach a state.

        Return the entries or the task. Raise WaitTimeout after `timeout` real seconds.
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
        """Check the client's requests so far against the contract; return the report.

        Raise ContractViolation, an AssertionError, if a rule fails; with `strict` also for
        warnings. Rules that could not be tested are INCONCLUSIVE and never fail.
        """
        report = self._control.call("GET", "/audit")
        failures = {"FAIL", "WARN"} if strict else {"FAIL"}
        violated = [rule for rule in report["rules"] if rule["verdict"] in failures]
        if violated:
            raise ContractViolation("\n".join(_describe_violation(rule) for rule in violated))
        return report

    def explore(
        self,
        client: "Client",
        *,
        examples: int = 200,
        seed: int = 0,
        ignore: Collection[str] = (),
    ) -> "Exploration":
        """Run a client in generated scenarios, each with a key of its own, in virtual time.

        `client` is called with a Job, and returns its pictures or raises; it may be a coroutine
        function. The same `seed` gives the same scenarios. `ignore` names invariants that are not
        judged, such as "X-DONE".

        Raise InvariantViolation, an AssertionError, with the shortest scenario that fails.
        """
        from mock_server.testing.exploring import explore  # noqa: PLC0415  # It is slow to import.

        return explore(self._begin, client, examples=examples, seed=seed, ignore=ignore)

    def replay(
        self,
        client: "Client",
        *,
        rules: Sequence[Json],
        pictures: int = 1,
        restarts: Sequence[str] = (),
        real_time: bool = False,
        ignore: Collection[str] = (),
    ) -> None:
        """Run a client once with these rules, with a key of its own, and judge the invariants.

        `pictures` is the number of calls. `restarts` names events at which the client is stopped
        and called again. `real_time` is for a client that starts another process.

        Raise InvariantViolation, an AssertionError, if the client violates an invariant.
        """
        from mock_server.testing.exploring import replay  # noqa: PLC0415  # It is slow to import.

        replay(
            self._begin,
            client,
            rules=rules,
            pictures=pictures,
            restarts=restarts,
            real_time=real_time,
            ignore=ignore,
        )

    def _begin(self, name: str) -> AbstractContextManager["ApixoMock"]:
        """Create another sandbox on this server."""
        return ApixoMock.begun(self.base_url, seed=0, name=name)

    def format_timeline(self) -> str:
        """Return the newest tasks and the journal as readable text."""
        tasks = self.tasks
        newest = [self.task(task["task_id"]) for task in tasks[:MAX_TASKS]]
        entries = self.journal.entries()
        return format_timeline(newest, len(tasks), entries, secret=self.api_key)


def _describe_violation(rule: Json) -> str:
    clauses = ", ".join(rule["clauses"])
    return (
        f"{rule['verdict']} {rule['id']} ({clauses}): expected that {rule['title']}; "
        f"seen: {rule['reason']}. {rule['advice']}"
    )


class Rules:
    """The ordered rules of a sandbox; the first match applies. Iterate to read them."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def __iter__(self) -> Iterator[Json]:
        return iter(self._rules("GET"))

    def __len__(self) -> int:
        return len(self._rules("GET"))

    def set(self, rules: Sequence[Json]) -> list[Json]:
        """Replace all rules; return the new ones."""
        return self._rules("PUT", {"rules": list(rules)})

    def add(self, apply: Json, match: Json | None = None) -> list[Json]:
        """Append a rule; return all rules."""
        return self._rules("POST", {"match": match or {}, "apply": apply})

    def clear(self) -> None:
        self._rules("DELETE")

    def _rules(self, method: str, body: object = None) -> list[Json]:
        rules: list[Json] = self._control.call(method, "/rules", body)["rules"]
        return rules


class Journal:
    """The recorded exchanges of a sandbox, oldest first."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def __iter__(self) -> Iterator[Json]:
        return iter(self.entries())

    def __len__(self) -> int:
        return self.count()

    def entries(
        self, operation: str | None = None, *, task: str | None = None, since: int | None = None
    ) -> list[Json]:
        """Return the entries of an operation or a task, and those after number `since`."""
        query = {"operation": operation, "task": task, "since": since, "limit": _NO_LIMIT}
        entries: list[Json] = self._control.call("GET", "/journal", query=query)["entries"]
        return entries

    def page(self) -> Json:
        """Return all entries, and how many the journal has dropped."""
        return self._control.call("GET", "/journal", query={"limit": _NO_LIMIT})

    def count(self, operation: str | None = None, *, task: str | None = None) -> int:
        """Return the number of entries of an operation or a task."""
        count: int = self._control.call(
            "POST", "/journal/count", {"operation": operation, "task": task}
        )["count"]
        return count

    def har(self) -> Json:
        """Return the journal as HAR 1.2."""
        return self._control.call("GET", "/journal", query={"format": "har"})


def _path(task_id: str | None) -> str:
    return f"/tasks/{quote(str(task_id), safe='')}"
