"""Run many pieces of work at once, and give what comes of each as soon as it is there.

At most `concurrency` run, and no new one begins while the results of ended ones wait to be taken,
so that neither prompts nor results pile up.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import TypeVar

from client_reference.caller import Caller

R = TypeVar("R")


def in_threads(
    caller: Caller,
    work: Callable[[int, str], R],
    concurrency: int,
    stop: Callable[[], None],
) -> Generator[R, None, None]:
    """Call `stop` at the end, however it comes; work under way then is not waited for."""
    jobs = caller.jobs()
    running: set[Future[R]] = set()
    executor = ThreadPoolExecutor(concurrency, thread_name_prefix="generate_many")
    try:
        while True:
            for job in islice(jobs, concurrency - len(running)):
                running.add(executor.submit(work, *job))
            if not running:
                caller.check()
                return
            ended, running = wait(running, return_when=FIRST_COMPLETED)
            for future in ended:
                yield future.result()
    finally:
        stop()
        executor.shutdown(wait=False, cancel_futures=True)


async def in_tasks(
    caller: Caller,
    work: Callable[[int, str], Awaitable[R]],
    concurrency: int,
    stop: Callable[[], None],
) -> AsyncGenerator[R, None]:
    """Do as in_threads; work under way at the end is cancelled."""

    async def worked(index: int, prompt: str) -> R:
        return await work(index, prompt)

    jobs = caller.jobs()
    running: set[asyncio.Task[R]] = set()
    try:
        while True:
            for job in islice(jobs, concurrency - len(running)):
                running.add(asyncio.create_task(worked(*job)))
            if not running:
                caller.check()
                return
            ended, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                yield task.result()
    finally:
        stop()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
