"""A case of the comparison: a conversation, and what must be seen of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.mock_server.both_ways.conversation import Conversation

Talk = Callable[[Conversation], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A conversation and what must be seen of it, whichever way it is served."""

    name: str
    talk: Talk
    statuses: Sequence[int]
    # How many requests are served directly. It is a range if the network may split the
    # data, because a request that is split may take the ordinary way.
    direct: range
    closes: bool  # Whether the server closes the connection before its client does.
    is_aborted: bool  # Whether it resets the connection.
    has_early_callback: bool  # Whether a callback precedes the response about its task.


class Cases(list[Case]):
    """A list of cases. Its decorator adds a function as a case."""

    def case(
        self,
        *statuses: int,
        direct: int | range,
        closes: bool = False,
        is_aborted: bool = False,
        has_early_callback: bool = False,
    ) -> Callable[[Talk], Talk]:
        def enter(talk: Talk) -> Talk:
            name = talk.__name__
            self.append(
                Case(
                    name=name,
                    talk=talk,
                    statuses=statuses,
                    direct=direct if isinstance(direct, range) else range(direct, direct + 1),
                    closes=closes,
                    is_aborted=is_aborted,
                    has_early_callback=has_early_callback,
                )
            )
            return talk

        return enter
