"""Every refusal that the domain can make.

DomainError
├── InvalidRequest    a value is not acceptable; names its path (SUB-14)
├── TaskEnded         a final task cannot change any more (STA-5)
└── StoreFull         the mock keeps as many tasks as it may
"""


class DomainError(Exception):
    """Carries one sentence for the caller; knows nothing about HTTP."""


class InvalidRequest(DomainError):
    pass


class TaskEnded(DomainError):
    pass


class StoreFull(DomainError):
    pass
