"""The reference page of the audit: its rules and its cases."""

from collections.abc import Iterator
from itertools import groupby

from contract_tests.client.rules import RULES
from contract_tests.client.situations import SITUATIONS
from tests.pages.reference.markdown import GENERATED, table

_INTRODUCTION = f"""\
# Rules of the audit

Look up what the audit requires of a client, and what to change. [Audit a client](../auditing-a-client.md) shows how to run it.

- *must* can FAIL. *should* and *choice* are advice, and WARN at most. No page of the provider defines a *choice*.
- *outcome*: the client gets its pictures, or reports an error. *manners*: how the client uses the API.

{GENERATED}"""  # noqa: E501  # prose
_CASES = """
## Cases

Each case stages one situation. `--suite quick` runs the quick ones only.

"""
_GROUPS = {
    "C-REQ": "Requests",
    "C-KEY": "Secrecy of the key",
    "C-POLL": "Polling",
    "C-LIM": "Limits",
    "C-PAY": "Money",
    "C-RES": "Results",
    "C-OUT": "Output",
    "C-FAIL": "Failed tasks",
    "C-CB": "Callbacks",
    "C-ROB": "Robustness",
}


def audit_rules_page() -> str:
    """Return the page as Markdown."""
    return "".join([_INTRODUCTION, *_groups(), *_cases()])


def _groups() -> Iterator[str]:
    for prefix, rules in groupby(RULES, key=lambda rule: rule.id.rpartition("-")[0]):
        yield f"\n## {prefix}: {_GROUPS[prefix]}\n\n"
        yield table(
            ("rule", "requirement", "level", "axis", "clauses", "if violated"),
            (
                (rule.id, rule.title, rule.level, rule.axis, ", ".join(rule.clauses), rule.advice)
                for rule in rules
            ),
        )


def _cases() -> Iterator[str]:
    yield _CASES
    yield table(
        ("case", "suite", "situation", "rules"),
        (
            (each.id, "quick" if each.is_quick else "full", each.title, " ".join(each.judged))
            for each in SITUATIONS
        ),
    )
