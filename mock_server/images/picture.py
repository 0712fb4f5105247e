"""What a drawn result shows."""

import msgspec


class Picture(msgspec.Struct, frozen=True):
    """One result of a task; two equal pictures are drawn as the same bytes."""

    prompt: str  # any Unicode, at most 10,000 code points
    width: int
    height: int
    ratio: str  # as the client writes it: "3:2"
    number: int  # this is result `number` of `count`
    count: int
    seed: bytes  # chance: decides colours and pattern

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ValueError("a picture has at least one pixel")
