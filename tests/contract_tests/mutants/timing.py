"""Mutants of TIM."""

from collections.abc import Callable

from tests.contract_tests.mutants.harness import Asked, Break, Mutant, Serve, Told
from tests.contract_tests.mutants.steering import steer


def _takes(seconds: float) -> Callable[[], Break]:
    """Let tasks take another time than control says."""

    async def broken(asked: Asked, serve: Serve) -> Told:
        if not asked.is_submit:
            return await serve(asked)
        await steer(asked, serve, "PATCH", "sandbox", {"generation_time": seconds})
        told = await serve(asked)
        await steer(asked, serve, "PATCH", "sandbox", {"generation_time": 30})
        return told

    return lambda: broken


MUTANTS = (
    Mutant(name="tasks-take-a-minute", clause="TIM-1", make=_takes(60)),
    Mutant(name="tasks-take-forty-seconds", clause="TIM-1", make=_takes(40)),
    Mutant(name="tasks-take-ten-seconds", clause="TIM-1", make=_takes(10)),
    Mutant(name="tasks-take-no-time", clause="TIM-1", make=_takes(0)),
)
