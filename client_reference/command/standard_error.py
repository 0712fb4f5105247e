"""Lines for people on standard error, the same in every form of output."""

from collections.abc import Sequence
from pathlib import Path

import click

from client_reference.command.inputs import Prompt
from client_reference.command.sentences import COMMAND, going_on, sentence_of


def complain(sentence: str) -> None:
    click.echo(f"{COMMAND}: {sentence}", err=True)


def complain_of(
    error: Exception, task_ids: Sequence[str], prompt: Prompt | None, directory: Path | None
) -> None:
    place = "" if prompt is None else f"line {prompt.line}: "
    _complain_with(place + sentence_of(error), going_on(task_ids, directory))


def complain_of_interrupt(task_ids: Sequence[str], unanswered: int, directory: Path | None) -> None:
    _complain_with("interrupted", going_on(task_ids, directory))
    if unanswered:
        what = "a submit was" if unanswered == 1 else f"up to {unanswered} submits were"
        complain(
            f"{what} under way and may have been accepted:"
            " look at the account before you send anything again"
        )


def _complain_with(sentence: str, more: Sequence[str]) -> None:
    complain("; ".join([sentence, *more[:1]]))
    for line in more[1:]:
        click.echo(line, err=True)
