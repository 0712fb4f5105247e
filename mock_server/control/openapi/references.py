"""Types of request members whose schema is made elsewhere: they say its name, and check nothing.

What stands behind the names is in `rules.py`, and in `document.py` for what the server has read.
"""

from typing import Annotated, Any

from msgspec import Meta

PREFIX = "#/components/schemas/"

FailCode = Annotated[
    str, Meta(min_length=1, max_length=100, extra_json_schema={"$ref": PREFIX + "FailCode"})
]
OperationName = Annotated[str, Meta(extra_json_schema={"$ref": PREFIX + "Operation"})]
WrittenRule = Annotated[Any, Meta(extra_json_schema={"$ref": PREFIX + "Rule"})]
WrittenApply = Annotated[Any, Meta(extra_json_schema={"$ref": PREFIX + "Apply"})]
MatchOfNext = Annotated[
    Any,
    Meta(extra_json_schema={"anyOf": [{"$ref": PREFIX + "NextMatch"}, {"type": "null"}]}),
]
MatchOfRule = Annotated[Any, Meta(extra_json_schema={"$ref": PREFIX + "Match"})]
