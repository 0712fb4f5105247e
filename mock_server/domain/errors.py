"""Every error that the domain raises on purpose.

DomainError
├── InvalidRequest    the body of a submit is not acceptable; names the path (SUB-14)
├── InvalidValue      anything else that somebody wrote is not acceptable; names the path
│   └── RuleError     it is a rule
├── SandboxMissing    no sandbox has this id
└── NoRoom            a snapshot has more tasks than the server has room for
"""

import msgspec

_LONGEST_QUOTED = 100


class DomainError(Exception):
    """One sentence for the caller; it knows nothing about HTTP."""


class InvalidRequest(DomainError):
    pass


class InvalidValue(DomainError):
    """A value is invalid: `path` says where, `problem` what is wrong and what to do."""

    def __init__(self, path: str, problem: str, *, is_missing: bool = False) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem
        self.is_missing = is_missing  # a required member is absent


class RuleError(InvalidValue):
    pass


class SandboxMissing(DomainError):
    pass


class NoRoom(DomainError):
    pass


def quoted(text: str) -> str:
    """Return the first 100 characters of a text in double quotes, escaped as in JSON."""
    encodable = text[:_LONGEST_QUOTED].encode(errors="backslashreplace").decode()
    return msgspec.json.encode(encodable).decode()
