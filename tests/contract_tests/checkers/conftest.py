"""A true history, recorded once."""

import pytest

from contract_tests.server.options import Options
from contract_tests.server.session import open_session
from contract_tests.server.target import Target
from tests.contract_tests.checkers.stories import Events, story
from tests.contract_tests.fakes import a_case
from tests.contract_tests.mutants.harness import Mutant, serving


@pytest.fixture(scope="session")
def recording() -> tuple[Events, Target]:
    """Return the events of a case that does everything, and the mock that answered."""
    whole = a_case(story, clauses=(), provokes=(429,), case_id="S-STA-999")
    unchanged = Mutant(name="the mock", clause="")
    with serving(unchanged) as url, open_session(Options(base_url=url, seed=3)) as ready:
        ran = ready.runner.run_case(whole)
    assert ran.result.reason == ""
    return ran.events, ready.target


@pytest.fixture
def history(recording: tuple[Events, Target]) -> Events:
    return recording[0]


@pytest.fixture
def target(recording: tuple[Events, Target]) -> Target:
    return recording[1]
