"""Types of members that the domain validates; their schemas refer to OpenAPI components.

`openapi/rules.py` defines these components.
"""

from typing import Annotated, Any

from msgspec import Meta

PREFIX = "#/components/schemas/"

FailCode = Annotated[
    str, Meta(min_length=1, max_length=100, extra_json_schema={"$ref": PREFIX + "FailCode"})
]
WrittenRule = Annotated[Any, Meta(extra_json_schema={"$ref": PREFIX + "Rule"})]
WrittenApply = Annotated[Any, Meta(extra_json_schema={"$ref": PREFIX + "Apply"})]
MatchOfNext = Annotated[
    Any,
    Meta(extra_json_schema={"anyOf": [{"$ref": PREFIX + "NextMatch"}, {"type": "null"}]}),
]
MatchOfRule = Annotated[Any, Meta(extra_json_schema={"$ref": PREFIX + "Match"})]
