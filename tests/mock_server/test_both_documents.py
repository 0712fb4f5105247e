"""Sequences of calls of both planes, which follow the links of their documents."""

import json
import re
from pathlib import Path

import msgspec
import pytest

from tests.mock_server.both_documents import merged
from tests.mock_server.conftest import Serve
from tests.mock_server.control.documented import PATH
from tests.mock_server.schemathesis_run import SETTINGS, found_nothing
from tests.properties import scale

# These calls stream, or may inject faults that contradict the document.
LEFT_OUT = "/(events|snapshot|rules|next)$"


@pytest.mark.deep
def test_sequences_of_calls_find_no_problem(serve: Serve, tmp_path: Path) -> None:
    mock = serve(msgspec.structs.replace(SETTINGS, generation_time_ms=0))
    document = merged(mock.http.get("/openapi.json").json(), mock.http.get(PATH).json())
    file = tmp_path / "both.json"
    file.write_text(json.dumps(document))

    printed = found_nothing(
        str(file),
        tmp_path,
        url=mock.url,
        examples=scale(60),
        phases="stateful",
        exclude_checks="positive_data_acceptance",
        exclude_path_regex=LEFT_OUT,
    )

    found = re.search(r"API Links: +(\d+) covered", printed)
    assert found, printed
    assert int(found[1]) >= 10
