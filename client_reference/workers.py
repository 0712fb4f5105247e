"""Run the flows of a batch concurrently, and yield each result as soon as it is available.

No new flow starts while results wait for the caller, so neither prompts nor results accumulate.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice

from client_reference.batch import Batch, BatchResult


def run_in_threads(
    batch: Batch, run: Callable[[int, str], BatchResult], stop: Callable[[], None]
) -> Generator[BatchResult, None, None]:
    """Yield each result.  When the caller stops, call `stop` and do not wait for threads."""
    prompts = batch.given.numbered_prompts()
    running: set[Future[BatchResult]] = set()
    executor = ThreadPoolExecutor(batch.concurrency, thread_name_prefix="generate_many")
    try:
        while True:
            for index, prompt in islice(prompts, batch.concurrency - len(running)):
                running.add(executor.submit(run, index, prompt))
            if not running:
                batch.given.raise_error()
                return
            ended, running = wait(running, return_when=FIRST_COMPLETED)
            for future in ended:
                yield future.result()
    finally:
        stop()
        executor.shutdown(wait=False, cancel_futures=True)


async def run_in_tasks(
    batch: Batch, run: Callable[[int, str], Coroutine[None, None, BatchResult]]
) -> AsyncGenerator[BatchResult, None]:
    """Yield each result.  When the caller stops, cancel the tasks in progress."""
    prompts = batch.given.numbered_prompts()
    running: set[asyncio.Task[BatchResult]] = set()
    try:
        while True:
            for index, prompt in islice(prompts, batch.concurrency - len(running)):
                running.add(asyncio.create_task(run(index, prompt)))
            if not running:
                batch.given.raise_error()
                return
            ended, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                yield task.result()
    finally:
        batch.stop()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
