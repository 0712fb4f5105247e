"""The range of the integers in snapshots. Stores cannot encode larger ones."""

from typing import Annotated

from msgspec import Meta

MAX_INTEGER = 2**62
Integer = Annotated[int, Meta(ge=-MAX_INTEGER, le=MAX_INTEGER)]
