"""A whole live run, against a server on loopback that is declared to be the real service."""

from collections.abc import Callable
from decimal import Decimal

import msgspec
import pytest

from contract_tests.contract.errors import TargetError
from contract_tests.contract.verdicts import Verdict
from contract_tests.server.catalogue import all_cases, select_cases
from contract_tests.server.guard import PRICE_USD
from contract_tests.server.options import Options
from contract_tests.server.reports.report import Report
from contract_tests.server.session import open_session
from mock_server.settings import Settings
from tests.contract_tests.commands import contract_tests
from tests.contract_tests.mutants.harness import Asked, Break, Mutant, Serve, Told, serving

KEY = "sk-live-0123456789"
REAL = Settings(clock="real", generation_time_ms=0, seed=7)


class Till:
    """Counts what a service bills: the images of each accepted submit; remembers who asked."""

    def __init__(self) -> None:
        self.images = 0
        self.keys: set[bytes] = set()
        self.paths: list[str] = []

    def make(self) -> Break:
        return self.serve

    async def serve(self, asked: Asked, serve: Serve) -> Told:
        told = await serve(asked)
        self.keys.add(asked.header(b"authorization"))
        self.paths.append(asked.path)
        if asked.is_submit and told.status == 200:
            self.images += asked.json["input"].get("num_images", 1)
        return told


def run_live(
    budget: str, make: Callable[[], Break], *, second_key: str | None = None
) -> tuple[Report, Decimal | None]:
    """Return the report of a run of the smoke profile, and what the kit says that it spent."""
    mutant = Mutant(name="a live service", clause="SUB-1", make=make, settings=REAL)
    with (
        serving(mutant) as url,
        open_session(
            Options(
                base_url=url,
                live=True,
                api_key=KEY,
                key_is_from_environment=True,
                budget_usd=Decimal(budget),
                second_key=second_key,
                second_key_is_from_environment=True,
                suite="smoke" if second_key is None else "full",
                seed=1,
            )
        ) as ready,
    ):
        two_keys = ("S-AUTH-02*",) if second_key is not None else ()
        cases = select_cases(all_cases(), suite=ready.suite, select=two_keys)
        report = ready.report(tuple(ran.result for ran in ready.run(cases)))
        return report, ready.spent_usd


def test_a_service_that_keeps_the_contract_fails_nothing() -> None:
    till = Till()
    report, spent = run_live("20", till.make)

    assert report.profile == "smoke"
    assert [case for case in report.cases if case.verdict in {Verdict.FAIL, Verdict.ERROR}] == []
    assert spent == till.images * PRICE_USD
    assert any(case.verdict is Verdict.PASS for case in report.cases)


def test_a_live_service_sees_the_one_key_only_and_nothing_of_the_mock() -> None:
    till = Till()
    run_live("0", till.make)

    with_a_key = {key for key in till.keys if b"sk-" in key and b"invalid" not in key}
    assert {key.split()[-1] for key in with_a_key} == {KEY.encode()}
    assert not any(path.startswith("/_mock") for path in till.paths)


def test_a_second_key_is_used_by_the_cases_about_two_accounts_only() -> None:
    till, second = Till(), "sk-live-9876543210"
    report, spent = run_live("2", till.make, second_key=second)
    verdicts = {case.id: case.verdict for case in report.cases}

    assert verdicts["S-AUTH-024"] is verdicts["S-AUTH-025"] is Verdict.PASS
    with_a_key = {key.split()[-1] for key in till.keys if b"sk-live" in key}
    assert with_a_key == {KEY.encode(), second.encode()}
    assert second.encode() not in msgspec.json.encode(report)
    assert spent == till.images * PRICE_USD


def test_a_second_key_that_the_service_rejects_stops_the_run() -> None:
    with pytest.raises(TargetError, match="APIXO_SECOND_API_KEY"):
        run_live("0", lambda: Till().serve, second_key="sk-invalid-0123456789")


@pytest.mark.parametrize("images", [0, 1, 3])
def test_a_service_never_bills_more_than_the_budget(images: int) -> None:
    till = Till()
    report, spent = run_live(str(images * PRICE_USD), till.make)
    skipped = [case.reason for case in report.cases if case.verdict is Verdict.SKIP]

    assert spent is not None
    assert till.images * PRICE_USD <= spent <= images * PRICE_USD
    assert any("of the budget is left" in reason for reason in skipped)


@pytest.mark.parametrize("status", [403, 503])
def test_a_service_in_trouble_has_broken_nothing(status: int) -> None:
    async def refuse(asked: Asked, serve: Serve) -> Told:
        return (await serve(asked)).with_status(status)

    report, _ = run_live("20", lambda: refuse)
    verdicts = {case.verdict for case in report.cases}

    assert Verdict.FAIL not in verdicts
    assert Verdict.ERROR in verdicts
    assert report.summary.exit_status == 3


def test_the_command_tells_what_a_live_run_has_spent_at_most() -> None:
    mutant = Mutant(name="a live service", clause="SUB-1", settings=REAL)
    with serving(mutant) as url:
        words = ("--base-url", url, "--live", "--budget", "0.40", "--select", "S-SUB-001")
        ended = contract_tests("run", *words, env={"APIXO_API_KEY": KEY})

    *_, spent, last = ended.stdout.splitlines()
    assert ended.returncode == 0, ended.stdout
    assert spent == "spent at most $0.35, at $0.35 per image"
    assert last.endswith(" testable clauses covered")
