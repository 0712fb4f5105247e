"""The reference pages of the commands and of their exit statuses, from their own help."""

import re
from collections.abc import Iterator

import click

from client_reference.command.cli import command as client_command
from contract_tests.command import cli as kit_command
from tests.pages.reference.markdown import GENERATED, table

_COMMANDS = f"""\
# Commands

Look up the switches of `client-reference` and `contract-tests`. Those of `mock-server` are [settings](../settings.md).

Each command has `--help`, `--version` and one style of error: where, what is wrong, what to do.

{GENERATED}"""  # noqa: E501  # prose
_STATUSES = f"""\
# Exit statuses

Use these in scripts and in CI. Each command also exits with 141 if the reader of its output closes the pipe, as in `… | head -1`.

{GENERATED}
## `mock-server`

| status | meaning |
| --- | --- |
| 0 | stopped by SIGINT or SIGTERM |
| 1 | the address cannot be used, worker processes keep ending, or the output cannot be written |
| 2 | an invalid setting |
"""  # noqa: E501  # prose
_EXIT_STATUS = re.compile(r"(?<=Exit status).*", re.DOTALL)


def commands_page() -> str:
    """Return the page of the switches as Markdown."""
    return "".join([_COMMANDS, *_sections()])


def exit_statuses_page() -> str:
    """Return the page of the exit statuses as Markdown."""
    return "".join([_STATUSES, *_statuses()])


def _sections() -> Iterator[str]:
    for group in (client_command(), kit_command):
        yield f"\n## `{group.name}`\n\n{group.help}\n"
        parent = click.Context(group, info_name=group.name, **group.context_settings)
        for name, each in group.commands.items():
            if each.hidden:
                continue
            yield f"\n### `{group.name} {name}`\n\n{_about(each)}\n\n"
            yield table(("argument", "default", "meaning"), _rows(each, parent))


def _about(command: click.Command) -> str:
    text = (command.help or "").partition("Exit status")[0]
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n") if part.strip())


def _rows(command: click.Command, parent: click.Context) -> Iterator[tuple[str, ...]]:
    context = click.Context(command, info_name=command.name, parent=parent)
    for each in command.params:
        if isinstance(each, click.Argument):
            yield f"`{each.make_metavar(context)}`", "", "required"
        elif isinstance(each, click.Option) and not each.hidden:
            help_record = each.get_help_record(context)
            if help_record is None or each.name in {"help", "version"}:
                continue
            usage, text = help_record
            about, _, bounds = text.partition("  [")
            default = re.search(r"default: ([^;\]]+(?:; [^;\]=<>]+)*)", bounds)
            yield f"`{usage}`", default[1] if default else "", about


def _statuses() -> Iterator[str]:
    client = client_command()
    yield from _status_table("client-reference", client.epilog or "")
    for name, each in kit_command.commands.items():
        if "Exit status" in (each.help or "") and not each.hidden:
            yield from _status_table(f"contract-tests {name}", each.help or "")


def _status_table(title: str, text: str) -> Iterator[str]:
    found = _EXIT_STATUS.search(text)
    assert found, f"{title}: the help has no exit statuses"
    words = " ".join(found[0].split())
    statuses = re.findall(r"(\d+) +([^\d].*?)(?=[,.]? +\d+ +\w|\.?$)", words)
    yield f"\n## `{title}`\n\n"
    yield table(("status", "meaning"), [(number, about.rstrip(",.")) for number, about in statuses])
