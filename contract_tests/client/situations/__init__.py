"""The situations of the audit, in the order of the report."""

from typing import Final

from contract_tests.client.situation import Situation
from contract_tests.client.situations import callbacks, general, limits, money, results

SITUATIONS: Final[tuple[Situation, ...]] = (
    *general.SITUATIONS,
    *limits.SITUATIONS,
    *money.SITUATIONS,
    *results.SITUATIONS,
    *callbacks.SITUATIONS,
)
