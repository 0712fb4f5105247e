"""The paragraphs that an exploration prints."""

from collections.abc import Iterator
from typing import Final

from contract_tests.client.exploring.exploration import Explorer, Failure
from contract_tests.client.exploring.reproduction import (
    Reproduction,
    codes_of,
    findings_of,
    reproduction_of,
)
from contract_tests.client.reports.explored import failure_id
from contract_tests.client.reports.report import ExplorationFacts
from contract_tests.command.progress import verdict_entry
from contract_tests.command.terminal import Entry, Terminal
from contract_tests.contract.text import count, plain
from contract_tests.contract.verdicts import Verdict

_INDENT: Final = " " * 4


def exploration_entries(facts: ExplorationFacts) -> Iterator[Entry]:
    """Yield what was tried, and which kinds of events the client never met."""
    coverage = facts.coverage
    yield Entry(
        "",
        f"{count(facts.scenarios, 'scenario')}: {len(coverage.happened)} of {coverage.kinds} kinds"
        f" of events, {coverage.pairs} pairs of them, and {coverage.interleavings} of"
        f" {coverage.possible_interleavings} orders of polls and callbacks",
    )
    if facts.scenarios <= coverage.kinds:
        yield Entry("", "the time was too short to try each kind of event; use a longer --budget")
    elif coverage.not_reached:
        yield Entry("did not happen: ", ", ".join(coverage.not_reached), style="dim")
    for invariant, number in facts.repeats.items():
        yield Entry("", f"{invariant}: {count(number, 'further scenario')} failed in the same way")


def print_failures(terminal: Terminal, explorer: Explorer, shown: int, command: str) -> None:
    """Print the failures after the first `shown` ones, in full."""
    for failure in explorer.failures[shown:]:
        reproduction = reproduction_of(failure, command)
        case_id = failure_id(failure, explorer.failures)
        terminal.print(_finding_entries(reproduction, case_id, failure))
        for title, code in codes_of(reproduction):
            terminal.print([Entry(_INDENT, title)])
            terminal.print_code(f"{_INDENT}  {line}".rstrip() for line in code.splitlines())
        terminal.print([Entry("", "")])


def _finding_entries(reproduction: Reproduction, case_id: str, failure: Failure) -> Iterator[Entry]:
    first, *others = findings_of(reproduction)
    verdict = Verdict.FAIL if failure.is_repeatable else Verdict.WARN
    yield verdict_entry(verdict, case_id, plain(first.partition(" ")[2]))
    for line in others:
        text = line.lstrip()
        yield Entry(_INDENT + line[: len(line) - len(text)], plain(text))
