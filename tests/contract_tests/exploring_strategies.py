"""Strategies for scenarios."""

from hypothesis import strategies as st

from contract_tests.client.exploring.grammar import KINDS, Operation
from contract_tests.client.exploring.scenario import Event, Scenario

_ORDER = tuple(Operation)
_WITH_SKIPS = {Operation.SUBMIT, Operation.STATUS, Operation.RESULT}


@st.composite
def events(draw: st.DrawFn) -> Event:
    kind = draw(st.sampled_from(KINDS))
    skips = draw(st.integers(0, 3)) if kind.operation in _WITH_SKIPS else 0
    return Event(kind.name, skips)


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """Draw a scenario whose events are sorted by operation, as generated ones are."""
    drawn = draw(st.lists(events(), max_size=7))
    drawn.sort(key=lambda event: _ORDER.index(event.kind.operation))
    return Scenario(events=tuple(drawn), pictures=draw(st.integers(1, 3)))
