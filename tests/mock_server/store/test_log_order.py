"""Real instants in a log: whatever the clocks of machines show, time never goes back."""

from hypothesis import given
from hypothesis import strategies as st

from mock_server.domain.commands import CountRequest
from mock_server.store.log_order import LogOrder

instants = st.lists(st.integers(0, 50), max_size=10)


def placed(order: LogOrder, instants_ms: list[int]) -> list[int]:
    return [order.placed(CountRequest(real_ms=real_ms)).real_ms for real_ms in instants_ms]


@given(instants)
def test_instants_of_a_log_never_decrease_and_change_as_little_as_possible(
    instants_ms: list[int],
) -> None:
    latest = [max(instants_ms[: nth + 1]) for nth in range(len(instants_ms))]

    assert placed(LogOrder(), instants_ms) == latest


@given(instants, instants)
def test_an_order_continues_from_a_checkpoint(before: list[int], rest: list[int]) -> None:
    whole = LogOrder()
    placed(whole, before)
    loaded = LogOrder(whole.latest_ms)

    assert placed(loaded, rest) == placed(whole, rest)


def test_a_command_that_is_in_order_is_not_copied() -> None:
    order, command = LogOrder(5), CountRequest(real_ms=5)

    assert order.placed(command) is command
