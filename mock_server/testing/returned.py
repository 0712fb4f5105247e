"""What a client returned: pictures as bytes, paths or addresses, or nothing."""

import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

from contract_tests.client.exploring.outcome import Delivery
from contract_tests.contract.text import count

Picture = bytes | str | os.PathLike[str]
Pictures = Picture | Iterable[Picture] | None


class UnsupportedReturn(BaseException):
    """The client returned something that is not a picture; this is no finding about the client."""


class Returned(msgspec.Struct, frozen=True):
    """The pictures that a client returned; None if it returned none, not even an empty list."""

    pictures: tuple[Picture, ...] | None

    @property
    def text(self) -> str:
        if self.pictures is None:
            return "returned None"
        return f"returned {count(len(self.pictures), 'picture')}"

    def deliveries(self, out_dir: Path) -> tuple[Delivery, ...] | None:
        """Return the pictures; without any, the files in the client's directory, or None."""
        if self.pictures is not None:
            return tuple(_delivery(each, number) for number, each in enumerate(self.pictures, 1))
        files = sorted(path for path in out_dir.rglob("*") if path.is_file())
        return tuple(Delivery.of_file(p.name, p.read_bytes()) for p in files) if files else None


def returned_by(value: Pictures) -> Returned:
    """Return the pictures in a return value. Raise UnsupportedReturn."""
    if value is None:
        return Returned(None)
    if isinstance(value, bytes | str | os.PathLike):
        return Returned((value,))
    if not isinstance(value, Iterable):
        raise UnsupportedReturn(_problem(value))
    pictures = tuple(value)
    for each in pictures:
        if not isinstance(each, bytes | str | os.PathLike):
            raise UnsupportedReturn(_problem(each))
    return Returned(pictures)


def _delivery(picture: Picture, number: int) -> Delivery:
    if isinstance(picture, bytes):
        return Delivery(name=f"returned picture {number}", content=picture)
    if isinstance(picture, str) and picture.startswith(("http://", "https://")):
        return Delivery(name=picture, url=picture)
    path = Path(picture)
    return Delivery(name=path.name, content=path.read_bytes() if path.is_file() else b"")


def _problem(value: object) -> str:
    return (
        "the client must return its pictures as bytes, paths or URLs, or None if they are in"
        f" job.out_dir (got {type(value).__name__})"
    )
