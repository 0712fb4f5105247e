"""Types that several responses share."""

from typing import Annotated

from msgspec import Meta

Instant = Annotated[int, Meta(ge=0, description="Unix milliseconds of the sandbox's clock.")]
Count = Annotated[int, Meta(ge=0)]
Milliseconds = Annotated[float, Meta(ge=0, description="Milliseconds of real time.")]
