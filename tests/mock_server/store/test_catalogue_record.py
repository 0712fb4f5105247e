"""What logs need of the catalogue, and what differs in that of another process."""

from typing import Any

import msgspec
import pytest

from mock_server.domain.sandbox.state import SandboxTemplate
from mock_server.domain.sandbox_settings import ClockSettings, SandboxSettings
from mock_server.store.catalogue_record import CatalogueRecord, SwitchDifference, switch_difference
from tests.mock_server.store.bench import CATALOGUE, MODEL


def template(**changes: Any) -> SandboxTemplate:
    return SandboxTemplate(
        seed=7,
        settings=SandboxSettings(),
        clock=ClockSettings(),
        models={MODEL.id: msgspec.structs.replace(MODEL, **changes)},
        fail_messages=CATALOGUE.fail_messages,
    )


def record(**changes: Any) -> CatalogueRecord:
    return CatalogueRecord.of(template(**changes))


def test_record_survives_a_store_and_replaces_the_catalogue_of_a_template() -> None:
    stored = msgspec.json.decode(msgspec.json.encode(record()), type=CatalogueRecord)

    assert stored == record()
    assert stored.adopted_by(template(price_usd=9)) == template()


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"price_usd": 0.0421}, SwitchDifference("--price", "0.035", "0.0421")),
        ({"result_ttl_s": 1.5}, SwitchDifference("--result-ttl", "1296000s", "1.5s")),
        ({"prompt_max_length": 7}, None),
    ],
)
def test_difference_names_the_switch_that_causes_it(
    changes: dict[str, Any], difference: SwitchDifference | None
) -> None:
    assert record(**changes) != record()
    assert switch_difference(record(), record(**changes)) == difference
