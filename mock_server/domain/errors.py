"""Every error that the domain raises on purpose.

DomainError
├── InvalidRequest    the body of a submit is invalid; names the path (SUB-14)
├── InvalidValue      a setting, rule, snapshot or control body is invalid; names the path
│   └── RuleError     a rule is invalid
├── SandboxMissing    no sandbox has this id
├── SandboxChanged    a decision was based on settings or rules that have changed since
├── NoRoom            a snapshot has more tasks than the task limit allows
├── StoreUnavailable  the store cannot be reached or written now
│   └── SandboxDamaged  one sandbox cannot be read; all others can
├── NewerFormat       a newer version wrote a log or checkpoint
└── DamagedLog        a log or checkpoint cannot be read
"""

import msgspec

_LONGEST_QUOTED = 100


class DomainError(Exception):
    """An error whose text is one sentence for the caller. It does not depend on HTTP."""


class InvalidRequest(DomainError):
    pass


class InvalidValue(DomainError):
    """A value is invalid: `path` says where, `problem` what is wrong and what to do."""

    def __init__(self, path: str, problem: str, *, is_missing: bool = False) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem
        self.is_missing = is_missing  # A required member is missing.


class RuleError(InvalidValue):
    pass


class SandboxMissing(DomainError):
    pass


class SandboxChanged(DomainError):
    """Settings or rules have changed since a command was prepared. The command had no effect."""


class NoRoom(DomainError):
    pass


class StoreUnavailable(DomainError):
    """The store cannot carry out a command now. The text says why; the caller may try again."""


class SandboxDamaged(StoreUnavailable):
    """The store cannot read the sandbox with this id. It works again once it was removed."""

    def __init__(self, sandbox_id: str, text: str) -> None:
        super().__init__(text)
        self.sandbox_id = sandbox_id


class NewerFormat(DomainError):
    pass


class DamagedLog(DomainError):
    pass


def quoted(text: str) -> str:
    """Return the first 100 characters of a text in double quotes, escaped as in JSON."""
    encodable = text[:_LONGEST_QUOTED].encode(errors="backslashreplace").decode()
    return msgspec.json.encode(encodable).decode()


def reason_of(error: Exception) -> str:
    """Return the message of an error; for one of the system, without its number and file."""
    return (isinstance(error, OSError) and error.strerror) or str(error)
