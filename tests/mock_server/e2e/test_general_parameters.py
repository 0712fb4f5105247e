"""The parameters that only the general parameters page lists (SUB-19)."""

import io

import pytest
from PIL import Image

from mock_server.settings import Settings
from tests.mock_server.conftest import Serve
from tests.mock_server.domain.strategies import MODEL
from tests.mock_server.e2e.api import Api, Json
from tests.mock_server.e2e.serving import RunningMock

SIZES = {
    "auto": (1024, 1024),
    "16:9": (1536, 1024),
    "9:16": (1024, 1536),
    "4:3": (1536, 1024),
    "3:4": (1024, 1536),
    "21:9": (1536, 1024),
}
FURTHER: Json = {"resolution": "4K", "output_format": "jpeg", "negative_prompt": 7}


def given(**members: object) -> Json:
    return {"input": {"prompt": "a fox", **members}}


@pytest.mark.parametrize("ratio", MODEL.general_ratios)
def test_a_general_ratio_is_rejected_by_default(api: Api, ratio: str) -> None:
    answer = api.try_submit(given(aspect_ratio=ratio))

    assert answer.status_code == 400
    problem = f'input.aspect_ratio: must be one of 1:1, 3:2, 2:3 (got "{ratio}")'
    assert answer.json()["data"] == {"error": problem}


@pytest.mark.parametrize("ratio", SIZES)
def test_an_accepted_general_ratio_is_drawn_in_the_closest_documented_size(
    mock: RunningMock, api: Api, ratio: str
) -> None:
    api.change(general_parameters="accept", generation_time=0)

    [url] = api.result_urls(api.submit(aspect_ratio=ratio))

    assert Image.open(io.BytesIO(mock.http.get(url).content)).size == SIZES[ratio]


@pytest.mark.parametrize("ratio", ["5:1", "", "16x9", "AUTO", "16:9 "])
def test_a_ratio_that_no_page_lists_is_rejected_all_the_same(api: Api, ratio: str) -> None:
    api.change(general_parameters="accept")

    answer = api.try_submit(given(aspect_ratio=ratio))

    assert answer.status_code == 400
    assert "must be one of 1:1, 3:2, 2:3, auto, 16:9," in answer.json()["data"]["error"]


@pytest.mark.parametrize("choice", ["reject", "accept"])
def test_further_general_members_are_ignored(api: Api, choice: str) -> None:
    api.change(general_parameters=choice)

    assert api.try_submit(given(**FURTHER)).status_code == 200


def test_a_strict_server_can_accept_general_ratios(api: Api) -> None:
    api.change(general_parameters="accept", strict=True)

    answer = api.try_submit(given(mode="gpt-image-1", aspect_ratio="auto"))

    assert answer.status_code == 200


def test_the_openapi_document_lists_the_ratios_that_the_server_accepts(serve: Serve) -> None:
    accepting = serve(Settings(general_parameters="accept"))

    document = accepting.http.get("/openapi.json").json()

    assert accepting.api("key").try_submit(given(aspect_ratio="21:9")).status_code == 200
    ratio = document["components"]["schemas"]["SubmitInput"]["properties"]["aspect_ratio"]
    assert {"1:1", "auto", "21:9"} <= set(ratio["anyOf"][0]["enum"])
