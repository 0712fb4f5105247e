"""Predicts the states of a task, its members and its callbacks."""

from dataclasses import dataclass, field
from typing import Final

from contract_tests.server.model.facts import RETRIES_S

RANKS: Final = {"pending": 0, "processing": 1, "success": 2, "failed": 2}
ENDS: Final = frozenset({"success", "failed"})


@dataclass(kw_only=True)
class KnownTask:
    """A task as the model knows it: what was requested, what was planned, what was seen.

    Instants are in milliseconds, and None if they are not known.
    """

    id: str
    key: str
    images: int = 1
    has_default_images: bool = False
    """Whether the submit omits the number of images; then 1 is this project's choice."""
    ratio: str = "1:1"
    ends: frozenset[str] = ENDS
    """The final states that are possible."""
    fail_codes: frozenset[str] | None = None
    """The fail codes that are possible; None if any is."""
    end_clause: str = "SUB-1"
    """The clause that says how the task ends."""
    receiver: str | None = None
    """The name of its callback URL at the receiver, if it has one."""
    calls_back: bool = False
    """Whether it is a callback task (CB-1); other tasks may have a URL as well."""
    reactions: tuple[int, ...] = ()
    """How the receiver answers the attempts, in order; later ones with 200."""
    submitted_s: float = 0.0
    """How long had been waited in all when it was accepted."""
    called_s: float | None = None
    """How long had been waited in all when the first callback was there."""
    born_ms: int | None = None
    start_ms: int | None = None
    end_ms: int | None = None
    created: object = None
    """`createTime` as it was answered first."""
    state: str = "pending"
    """The last state that was seen; at first the earliest that is possible."""
    seen_live_ms: int | None = None
    final: bytes | None = field(default=None, repr=False)
    """The body of the first final answer."""
    result_urls: tuple[str, ...] = ()

    @property
    def is_frozen(self) -> bool:
        return self.final is not None

    def seen(
        self,
        state: str | None,
        *,
        created: object,
        body: bytes,
        urls: tuple[str, ...],
        now_ms: int | None,
    ) -> None:
        """Note the answer to a status request."""
        if state is None or self.final is not None:
            return
        self.created = created if self.created is None else self.created
        self.state = state
        if state in ENDS:
            self.final, self.result_urls = body, urls
        else:
            self.seen_live_ms = now_ms

    def states_at(self, now_ms: int | None) -> frozenset[str]:
        """Return the states that are possible at an instant (STA-4, STA-5)."""
        if self.final is not None:
            return frozenset({self.state})
        if now_ms is not None and self.end_ms is not None:
            if now_ms >= self.end_ms:
                return self.ends
            if self.start_ms is not None:
                return frozenset({"pending" if now_ms < self.start_ms else "processing"})
        live = {"pending", "processing"} - ({"pending"} if self.state == "processing" else set())
        if now_ms is not None and self.end_ms is not None:
            return frozenset(live)
        return frozenset(live | self.ends)

    def has_ended(self, now_ms: int | None) -> bool | None:
        """Return whether the task has ended at an instant; None if that is not known."""
        states = self.states_at(now_ms)
        if states <= ENDS:
            return True
        return None if states & ENDS else False

    def attempts_until(self, now_ms: int | None, waited_s: float = 0.0) -> tuple[int, int]:
        """Return the least and the greatest number of callbacks that are possible (CB-1 … CB-3).

        `waited_s` is the time that was waited in all, for a server without a clock to move: only
        the first delay is documented, so no second retry is certain there. Each delay counts from
        the end of the attempt before, which takes no time here: a manual clock stands still while
        the receiver answers.
        """
        if not self.calls_back or self.has_ended(now_ms) is False:
            return 0, 0
        most = self._most_attempts()
        if now_ms is None or self.end_ms is None:
            is_retried = self.called_s is not None and waited_s - self.called_s > RETRIES_S[0]
            return min(most, 1 + is_retried) if self.is_frozen else 0, most
        due, at_ms = 1, self.end_ms
        for delay_s in RETRIES_S[: most - 1]:
            at_ms += delay_s * 1000
            due += at_ms <= now_ms
        return due, due

    def _most_attempts(self) -> int:
        """Return the number of attempts until one is received, at most four."""
        for number in range(len(RETRIES_S)):
            if number >= len(self.reactions) or self.reactions[number] == 200:
                return number + 1
        return len(RETRIES_S) + 1
