"""The types of the keyword arguments, which both clients share.

`ClientBase` documents their meaning.
"""

from collections.abc import Callable, Iterable
from typing import Literal, TypeAlias, TypedDict

from client_reference.callbacks import Receiver
from client_reference.conversations import OnUpdate
from client_reference.polling import Polling

Via: TypeAlias = Literal["polling", "callback"]


class ClientKeywords(TypedDict, total=False):
    """Keyword arguments of both constructors."""

    timeout: float
    max_retries: int
    retry_submit: bool
    polling: Polling | None
    poll_after_s: float | None
    poll_every_s: float | None
    clock: Callable[[], float]
    user_agent: str | None


class ImageKeywords(TypedDict, total=False):
    """Keyword arguments for the images to generate; `ImageOptions` is made from them."""

    aspect_ratio: str
    num_images: int
    image_urls: Iterable[str]
    provider: str


class WaitKeywords(TypedDict, total=False):
    """Keyword arguments of `wait`."""

    timeout: float
    on_update: OnUpdate | None


class SubmitKeywords(ImageKeywords, total=False):
    """Keyword arguments of `submit`."""

    callback_url: str | None


class GenerateKeywords(SubmitKeywords, WaitKeywords, total=False):
    """Keyword arguments of `generate`."""

    via: Via
    receiver: Receiver | None


class GenerateManyKeywords(ImageKeywords, WaitKeywords, total=False):
    """Keyword arguments of `generate_many`."""

    concurrency: int
