"""The exceptions that end a case early; each one leads to one verdict."""

from typing import ClassVar

from contract_tests.contract.verdicts import Verdict


class CaseInterruption(BaseException):
    """The base class; the message is the reason in the report.

    It is not an Exception, because Hypothesis takes each Exception for a counterexample: it repeats
    the example, which then passes, and reports an unreliable test instead of the reason.
    """

    verdict: ClassVar[Verdict]


class PreconditionNotMet(CaseInterruption):
    """The case could not be tested because a precondition was not met."""

    verdict = Verdict.INCONCLUSIVE


class FailedAtOnce(PreconditionNotMet):
    """A submit was rejected with a fail code, so it has no task that fails later."""

    def __init__(self, code: str) -> None:
        super().__init__(
            f"the submit itself failed with {code}, as the newest errors page says (FAIL-6)"
        )


class TargetFailure(CaseInterruption):
    """The target, or the connection to it, failed in a way that the case did not provoke."""

    verdict = Verdict.ERROR


class CaseSkipped(CaseInterruption):
    """The case cannot be run against this target."""

    verdict = Verdict.SKIP


class RunStopped(CaseInterruption):
    """The run was stopped while the case was running."""

    verdict = Verdict.INCONCLUSIVE


class CaseTimedOut(CaseInterruption):
    """The case did not end within its time limit."""

    verdict = Verdict.INCONCLUSIVE
