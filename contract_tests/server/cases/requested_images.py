"""STA-7 and RES-2: the results have the requested number and ratio."""

from itertools import product
from typing import Final

from contract_tests.server.case import Case, Time
from contract_tests.server.cases.pictures import fits, required, size_of
from contract_tests.server.interruptions import PreconditionNotMet
from contract_tests.server.probe import Probe
from contract_tests.server.reading import result_urls, state_of
from contract_tests.strategies import COUNTS, RATIOS

_FOX: Final = {"mode": "gpt-image-1", "prompt": "a red fox in the snow"}


def _as_requested(probe: Probe) -> None:
    """Submit each ratio and number of images together, then check the results."""
    probe.require_results()
    if probe.target.has_control:
        probe.change_settings(generation_time=1, rate_limit=10_000, max_concurrent=1000)
    requested = [("3:2", 2)] if probe.target.is_live else list(product(RATIOS, COUNTS))
    tasks = []
    for ratio, count in requested:
        body = {"input": _FOX | {"aspect_ratio": ratio, "num_images": count}}
        tasks.append((ratio, count, probe.submit_task(body)))
    for ratio, count, task_id in tasks:
        ended = probe.poll_until_final(task_id)
        if state_of(ended) != "success":
            raise PreconditionNotMet(f"the task has failed: {ended.shown}")
        urls = result_urls(ended)
        probe.check(
            "STA-7",
            len(urls) == len(set(urls)) == count,
            expected=f"{count} addresses for num_images {count} and {ratio}",
            seen=ended,
        )
        for url in urls[:1]:
            image = probe.send("GET", url, key="none")
            size = size_of(image.response.body)
            probe.check(
                "RES-2",
                fits(probe.target, size, ratio),
                expected=required(probe.target, ratio),
                seen=f"HTTP {image.status}, {size or 'no image'}",
                at=image,
            )


CASES = (
    Case(
        id="S-STA-101",
        title="the results have the requested number and ratio",
        clauses=("STA-7", "RES-2"),
        sends="submits with each ratio and number of images, and downloads",
        expects="that many addresses, and images of that ratio",
        run=_as_requested,
        is_slow=True,
        images=2,
        worst_images=2,
        time=Time.ONE_GENERATION,
    ),
)
