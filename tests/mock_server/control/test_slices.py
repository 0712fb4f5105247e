"""Long work of many requests leaves turns of the event loop to short requests."""

import asyncio
from itertools import pairwise

from mock_server.control import slices
from mock_server.control.slices import Slices


class Work:
    """Pieces of work that are always at the end of a slice."""

    def __init__(self) -> None:
        self.slices = 0

    async def run(self, count: int) -> None:
        own = Slices()
        for _ in range(count):
            own._end_s = 0.0
            await own.pause()
            self.slices += 1


def test_one_piece_of_work_has_a_slice_in_a_turn_of_the_loop() -> None:
    """Before, 200 exports of one key left no turn to other keys for 12 s."""

    async def run() -> None:
        work = Work()
        tasks = [asyncio.ensure_future(work.run(10)) for _ in range(50)]
        turns = [0]
        while work.slices < 500:
            await asyncio.sleep(0)
            turns.append(work.slices)
        await asyncio.gather(*tasks)

        assert max(after - before for before, after in pairwise(turns)) == 1

    asyncio.run(run())


def test_work_that_is_cancelled_does_not_stop_the_others() -> None:
    async def run() -> None:
        work = Work()
        tasks = [asyncio.ensure_future(work.run(3)) for _ in range(10)]
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

        assert work.slices >= 15
        assert not any(queue._waiting for queue in slices._queues.values())

    asyncio.run(run())
