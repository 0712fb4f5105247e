"""Real instants in a log: from one command to the next, they never decrease."""

import msgspec

from mock_server.domain.commands import Command, R


class LogOrder:
    """Corrects the commands of one log, which must pass through it in the order of the log.

    They may come from several machines, whose clocks differ, or from a process whose clock was
    set back before it started again. A sandbox relies on real time that never goes back.

    `latest_ms` is part of every checkpoint. Otherwise a replica that begins from the checkpoint
    would correct the next command in another way than one that has applied the whole log.
    """

    __slots__ = ("latest_ms",)

    def __init__(self, latest_ms: int = 0) -> None:
        self.latest_ms = latest_ms

    def placed(self, command: Command[R]) -> Command[R]:
        """Return the command; an instant before that of the last command becomes that instant."""
        if command.real_ms >= self.latest_ms:
            self.latest_ms = command.real_ms
            return command
        return msgspec.structs.replace(command, real_ms=self.latest_ms)
