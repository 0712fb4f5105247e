"""Fixtures of `pytest --pyargs contract_tests`; pytest_options.py declares its options."""

import os
from collections.abc import Iterator

import pytest

from contract_tests.contract.errors import TargetError, UnreachableError
from contract_tests.contract.extra import missing_extra
from contract_tests.contract.mock_process import draw_seed
from contract_tests.server.options import DEFAULT_KEY, Options, is_live
from contract_tests.server.session import Session, open_session


def pytest_pycollect_makemodule() -> None:
    """Name the missing extra before the import of the cases fails with a traceback."""
    missing = missing_extra()
    if missing is not None:
        raise pytest.Collector.CollectError(f"contract_tests: {missing}")


@pytest.fixture(scope="session")
def apixo_options(pytestconfig: pytest.Config) -> Options:
    key = os.environ.get("APIXO_API_KEY", "").strip()
    second_key = os.environ.get("APIXO_SECOND_API_KEY", "").strip()
    seed = pytestconfig.getoption("--apixo-seed")
    return Options(
        base_url=pytestconfig.getoption("--apixo-base-url"),
        api_key=key or DEFAULT_KEY,
        key_is_from_environment=bool(key),
        second_key=second_key or None,
        second_key_is_from_environment=bool(second_key),
        suite=pytestconfig.getoption("--apixo-suite"),
        seed=draw_seed() if seed is None else seed,
        live=pytestconfig.getoption("--apixo-live"),
        budget_usd=pytestconfig.getoption("--apixo-budget"),
        allow_exhaustion=pytestconfig.getoption("--apixo-allow-exhaustion"),
    )


@pytest.fixture(scope="session")
def apixo_session(pytestconfig: pytest.Config, apixo_options: Options) -> Iterator[Session]:
    try:
        if is_live(apixo_options) and hasattr(pytestconfig, "workerinput"):
            raise TargetError(
                "a live run cannot use pytest-xdist, because it has one budget; leave out -n"
            )
        with open_session(apixo_options) as ready:
            yield ready
    except TargetError as error:
        pytest.exit(str(error), returncode=pytest.ExitCode.USAGE_ERROR)
    except UnreachableError as error:
        pytest.exit(str(error), returncode=3)
