"""What a case of the comparison is: a conversation, and what it must come to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.mock_server.both_ways.twins import Conversation

Talk = Callable[[Conversation], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`direct` is how many of the requests are served directly, as far as the case decides it.

    The network splits long data as it likes, and a request that is split is not served directly.

    `closes` says whether the server closes the connection before its client does.
    """

    name: str
    talk: Talk
    statuses: Sequence[int]
    direct: range
    closes: bool
    is_aborted: bool


class Cases(list[Case]):
    """A list of cases, in which functions enter themselves."""

    def case(
        self, *statuses: int, direct: int | range, closes: bool = False, is_aborted: bool = False
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
                )
            )
            return talk

        return enter
