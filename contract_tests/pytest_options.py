"""The switches of `pytest --pyargs contract_tests`, as a plugin: pytest asks for them early.

It is loaded in every run of pytest where the kit is installed, so it imports nothing heavy.
"""

import pytest

from contract_tests.server.money import dollars


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("apixo", "APIXO contract tests (the API key comes from APIXO_API_KEY)")
    group.addoption("--apixo-base-url", help="the server; without it a mock is started")
    group.addoption("--apixo-profile", choices=["smoke", "full"], help="how much to run")
    group.addoption("--apixo-seed", type=int, help="repeat a run")
    group.addoption(
        "--apixo-live", action="store_true", help="allow a target that is not on this machine"
    )
    group.addoption("--apixo-budget", type=dollars, help="dollars that a live run may cost")
    group.addoption(
        "--apixo-allow-exhaustion", action="store_true", help="let a live run use up limits"
    )
