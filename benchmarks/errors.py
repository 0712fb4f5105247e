"""The error of every command in this package."""

import click


class BenchError(click.ClickException):
    """Nothing can be measured or judged; the message says why and what to do."""

    exit_code = 2
