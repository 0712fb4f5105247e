"""The command `contract-tests`."""

import io
import signal
import sys
from types import FrameType

import click


def main() -> None:
    """Exit with 2 for what cannot be run, 3 without a target, else as the command says."""
    from contract_tests.audit.driving.command import BadCommand  # noqa: PLC0415
    from contract_tests.cassettes import BadCassette  # noqa: PLC0415  # heavy, as is the rest
    from contract_tests.command import cli  # noqa: PLC0415
    from contract_tests.expected_failures import BadExpectation  # noqa: PLC0415
    from contract_tests.reports import BadReport  # noqa: PLC0415
    from contract_tests.targets import BadTarget, Unreachable  # noqa: PLC0415

    signal.signal(signal.SIGTERM, _ended)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:  # not under nohup
        signal.signal(signal.SIGHUP, _ended)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a narrow encoding is no reason to break off
            stream.reconfigure(errors="backslashreplace")
    try:
        sys.exit(cli.main(prog_name="contract-tests", standalone_mode=False))
    except click.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (BadTarget, BadCassette, BadCommand, BadExpectation, BadReport) as error:
        click.echo(f"contract-tests: {error}", err=True)
        sys.exit(2)
    except Unreachable as error:
        click.echo(f"contract-tests: {error}", err=True)
        sys.exit(3)


def _ended(number: int, _frame: FrameType | None) -> None:
    """Leave in order, so that a mock that was started ends too."""
    sys.exit(128 + number)


if __name__ == "__main__":
    main()
