"""The error of every command in this package."""

import click


class BenchError(click.ClickException):
    """A measurement or a comparison is impossible; the message says why and what to do."""

    exit_code = 2
