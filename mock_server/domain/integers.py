"""The range of the integers in snapshots. Stores cannot encode larger ones."""

from typing import Annotated

from msgspec import Meta

Integer = Annotated[int, Meta(ge=-(2**62), le=2**62)]
