"""How a case ends early: each interruption stands for one verdict."""

from contract_tests.contract.errors import ContractTestsError


class CaseInterruption(ContractTestsError):
    """Base class of what ends a case early; the message is the reason in the report."""


class PreconditionNotMet(CaseInterruption):
    """The case could not be tested because a precondition was not met: INCONCLUSIVE."""


class TargetFailure(CaseInterruption):
    """The target, or the way to it, failed in a way that the case did not provoke: ERROR."""


class CaseSkipped(CaseInterruption):
    """The case cannot be run against this target: SKIP."""
