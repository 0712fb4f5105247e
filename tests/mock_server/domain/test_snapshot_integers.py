"""A snapshot with a number that no store can keep is rejected, and the error says where."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from mock_server.domain.errors import InvalidValue
from mock_server.domain.ports import DeliveryResult
from mock_server.domain.snapshot import parse_snapshot
from tests.mock_server.domain.driven import Driven, run
from tests.mock_server.domain.steps import callback_task, deliver, record
from tests.mock_server.domain.strategies import CATALOGUE


def integers(value: object, path: str = "") -> Iterator[tuple[Any, Any, str]]:
    """Yield each integer of a document: what contains it, its key there, and its path."""
    items: Iterator[tuple[Any, Any]] = iter(())
    if isinstance(value, dict):
        items = iter(value.items())
    elif isinstance(value, list):
        items = iter(enumerate(value))
    for key, inner in items:
        name = f"{path}[{key}]" if isinstance(key, int) else f"{path}.{key}".removeprefix(".")
        if isinstance(inner, int) and not isinstance(inner, bool):
            yield value, key, name
        yield from integers(inner, name)


@pytest.mark.parametrize("huge", [10**30, -(10**30), 2**63])
def test_too_large_integer_of_a_snapshot_is_rejected_with_its_path(huge: int) -> None:
    driven = run(Driven(), [callback_task(0), deliver(DeliveryResult(status=500)), record(200)])
    document = json.loads(driven.document())
    found = list(integers(document))

    assert len(found) > 25
    for holder, key, path in found:
        before, holder[key] = holder[key], huge
        with pytest.raises(InvalidValue) as error:
            parse_snapshot(json.dumps(document).encode(), CATALOGUE)
        holder[key] = before
        assert error.value.path.startswith(path.split("[")[0].split(".")[0]), path
