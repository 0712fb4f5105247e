"""What tests of several processes rely on in a virtual loop."""

import asyncio
import gc

from tests.mock_server.runtime.virtual_loop import run_virtually


def test_task_that_waits_for_ever_is_cancelled_at_the_end_of_its_loop() -> None:
    ended: list[str] = []

    async def wait_for_ever() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise
        finally:
            ended.append("ended")

    async def main() -> None:
        asyncio.create_task(wait_for_ever())  # noqa: RUF006  # Nothing else may refer to it.
        await asyncio.sleep(1)
        gc.collect()

    run_virtually(main())

    assert ended == ["cancelled", "ended"]
