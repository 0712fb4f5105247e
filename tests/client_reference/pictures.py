"""Small real images, and responses that contain them whole, in part or damaged."""

from collections.abc import Mapping, Sequence
from functools import cache
from io import BytesIO

import httpx
from PIL import Image

from client_reference import Generation, Task
from tests.client_reference.scripted import RESULT_URL, Answer, Parts, raw

TYPES = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}
SUFFIXES = {"png": ".png", "jpeg": ".jpg", "webp": ".webp"}


@cache
def picture(kind: str, colour: str = "orange") -> bytes:
    image = Image.effect_noise((48, 32), 90).convert("RGB")
    image.paste(colour, (0, 0, 8, 8))
    file = BytesIO()
    image.save(file, kind)
    return file.getvalue()


PNG = picture("png")


def gives(
    body: bytes, kind: str = "png", status: int = 200, headers: Mapping[str, str] | None = None
) -> Answer:
    return raw(status, body, {"Content-Type": TYPES[kind], **(headers or {})})


def breaks_after(
    body: bytes, kind: str = "png", status: int = 200, headers: Mapping[str, str] | None = None
) -> Answer:
    """Give this part of a picture, then lose the connection."""

    def answer(request: httpx.Request) -> httpx.Response:
        lost = httpx.RemoteProtocolError("peer closed connection", request=request)
        return httpx.Response(
            status,
            headers={"Content-Type": TYPES[kind], **(headers or {})},
            stream=Parts(body, breaks_with=lost),
        )

    return answer


def continues(
    body: bytes,
    start: int,
    stated_start: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Give the rest of a picture from a byte on, as a 206 that may say something else."""
    said = start if stated_start is None else stated_start
    stated = {"Content-Range": f"bytes {said}-{len(body) - 1}/{len(body)}", **(headers or {})}
    return gives(body[start:], status=206, headers=stated)


def generation(*urls: str, task_id: str = "task_1") -> Generation:
    given: Sequence[str] = urls or (RESULT_URL,)
    task = Task(id=task_id, state="success", result_urls=tuple(given))
    return Generation(task=task, urls=tuple(given))
