"""The errors that this package raises on purpose: one tree, so that one `except` catches all."""


class ContractTestsError(Exception):
    """Base class of all errors of this package."""


class InputError(ContractTestsError):
    """Something that the user named cannot be used; the message says what to do. Exit status 2."""


class TargetError(InputError):
    """The server under test, or the mock of an audit, cannot be used as requested."""


class CassetteError(InputError):
    """The folder does not hold a recording that can be replayed."""


class ExpectedFailuresError(InputError):
    """The file of expected failures is invalid."""


class ReportError(InputError):
    """The folder does not hold a report that can be read."""


class ClientCommandError(InputError):
    """The command that starts a client is invalid."""


class UnreachableError(ContractTestsError):
    """The server under test does not answer, so nothing can be judged. Exit status 3."""


class RegisterError(ContractTestsError):
    """The register of clauses is invalid; the message names the clause."""
