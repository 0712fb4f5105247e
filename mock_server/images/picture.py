"""The description of a picture to draw."""

import msgspec


class Picture(msgspec.Struct, frozen=True):
    """One result of a task. Equal pictures are drawn as the same bytes."""

    prompt: str  # any Unicode, at most 10,000 code points
    width: int  # pixels
    height: int  # pixels
    ratio: str  # as in the request: "3:2"
    number: int  # position among the `count` results of the task, from 1
    count: int
    seed: bytes  # decides colours and pattern

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ValueError(
                f"a picture must have at least one pixel (got {self.width} x {self.height})"
            )
