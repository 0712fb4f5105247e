"""The cases, by group of the contract. Ids never change and are never reused."""

from contract_tests.server.case import Case
from contract_tests.server.cases import (
    auth,
    billing,
    callbacks,
    credit,
    envelope,
    failure,
    limits,
    machine,
    properties,
    reference_images,
    requested_images,
    results,
    status,
    submit,
    timing,
    traffic,
)

CASES: tuple[Case, ...] = (
    *auth.CASES,
    *envelope.CASES,
    *submit.CASES,
    *reference_images.CASES,
    *credit.CASES,
    *properties.CASES,
    *requested_images.CASES,
    *status.CASES,
    *machine.CASES,
    *failure.CASES,
    *limits.CASES,
    *timing.CASES,
    *callbacks.CASES,
    *results.CASES,
    *billing.CASES,
    *traffic.CASES,
)
