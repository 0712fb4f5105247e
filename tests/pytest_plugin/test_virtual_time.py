"""Waits in virtual time move the clock of a sandbox, and concurrent ones share a move."""

from threading import Event, Thread

from mock_server.testing.job import VirtualTime

LONG_ENOUGH_S = 10.0


class Seconds(float):
    """A duration that tells when a wait has begun."""

    began: Event

    def __gt__(self, other: float) -> bool:
        self.began.set()
        return super().__gt__(other)


class Server:
    """A clock that another wait of the client meets while it is being moved."""

    def __init__(self) -> None:
        self.time = VirtualTime(self.advance, lambda: 0, budget_s=100, before_wait=lambda: None)
        self.now_s = 0.0
        self.waits: list[Thread] = []

    def advance(self, seconds: float) -> None:
        self.now_s += seconds
        if not self.waits:
            wait = Seconds(6)
            wait.began = Event()
            self.waits.append(Thread(target=self.time.sleep, args=[wait]))
            self.waits[0].start()
            assert wait.began.wait(LONG_ENOUGH_S)


def test_wait_that_begins_while_the_clock_moves_is_not_too_short() -> None:
    server = Server()

    server.time.sleep(20)
    server.waits[0].join()

    assert server.now_s == 20 + 6
