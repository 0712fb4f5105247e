"""The options of `pytest --pyargs contract_tests`, as a plugin, because pytest needs them early.

pytest loads this module in every run if the kit is installed, so it imports nothing slow.
"""

import argparse

import pytest

from contract_tests.server.money import parse_dollars

_SUITES = ["smoke", "full", "deep"]


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("apixo", "APIXO contract tests (the API key comes from APIXO_API_KEY)")
    group.addoption("--apixo-base-url", help="server under test; without it a mock is started")
    group.addoption("--apixo-suite", choices=_SUITES, help="set of cases")
    group.addoption(  # The older name.
        "--apixo-profile", dest="apixo_suite", choices=_SUITES, help=argparse.SUPPRESS
    )
    group.addoption("--apixo-seed", type=int, help="random seed; the same seed reproduces a run")
    group.addoption(
        "--apixo-live", action="store_true", help="allow a server that is not on this machine"
    )
    group.addoption("--apixo-budget", type=parse_dollars, help="maximum cost of a live run in US$")
    group.addoption(
        "--apixo-allow-exhaustion",
        action="store_true",
        help="allow a live run to exhaust limits of the account",
    )
