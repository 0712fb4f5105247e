"""The scenario of tasks that are in progress together works without a control plane."""

import pytest

from contract_tests.server.model.outcomes import Reference
from contract_tests.server.traffic import steps
from contract_tests.server.traffic.together import rows_together, scenario_together

ROWS = rows_together(seed=1)


def test_unreachable_images_are_recognised_by_servers_that_do_not_fetch_them() -> None:
    scenario = scenario_together(ROWS, has_other_key=True)

    urls = [
        url
        for step in scenario.steps
        if isinstance(step, steps.Submit) and Reference.UNREACHABLE in step.references
        for url in step.body.get("input", {}).get("image_urls", ())
    ]
    assert urls
    assert all("127.0.0.1" not in url for url in urls)


@pytest.mark.parametrize("has_other_key", [True, False])
def test_another_key_is_used_only_if_the_server_accepts_one(*, has_other_key: bool) -> None:
    scenario = scenario_together(ROWS, has_other_key=has_other_key)

    used = any(getattr(step, "key", None) == "other" for step in scenario.steps)
    assert used == has_other_key
    assert ("other" in scenario.setup.keys) == has_other_key
