"""The errors that this package raises on purpose, with one common base class."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class ContractTestsError(Exception):
    """Base class of all errors of this package."""


class InputError(ContractTestsError):
    """The input of the user cannot be used; the message says what to do. Exit status 2."""


class TargetError(InputError):
    """The server under test, or the mock of an audit, cannot be used as requested."""


class CassetteError(InputError):
    """The directory has no recording that can be replayed."""


class ExpectedFailuresError(InputError):
    """The file of expected failures is invalid."""


class ReportError(InputError):
    """The directory has no readable report."""


class ClientCommandError(InputError):
    """The command that starts a client is invalid."""


class UnreachableError(ContractTestsError):
    """The server under test does not respond, or not like the API. Exit status 3."""


class ClientUnreachableError(ContractTestsError):
    """The client under test does not reach the mock, so nothing can be judged. Exit status 3."""


class OutputError(ContractTestsError):
    """A report or a recording cannot be written, for example on a full disk. Exit status 4."""


class RegisterError(ContractTestsError):
    """The register of clauses is invalid; the message names the clause."""


@contextmanager
def written(path: Path, what: str) -> Iterator[None]:
    """Raise OutputError if the block cannot write `what` to the path."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"{path}: cannot write {what}: {reason_of(error)}") from error


def reason_of(error: Exception) -> str:
    """Return the message of an error; for one of the system, without its number and file."""
    return (isinstance(error, OSError) and error.strerror) or str(error)
