"""The request that creates a task, validated before anything is sent."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

MODEL = "gpt-image-1"
PROMPT_MAX = 10_000  # SUB-9, in code points
ASPECT_RATIOS = ("1:1", "3:2", "2:3")  # SUB-10
IMAGE_COUNTS = (1, 2, 4)  # SUB-11
IMAGE_URLS_MAX = 5  # SUB-12
PROVIDERS = ("auto", "value", "official")  # SUB-6

_WHITE_SPACE = re.compile(r"[\x00-\x20\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageOptions:
    """The options for the images to generate from a prompt.

    `aspect_ratio` is 1:1, 3:2 or 2:3 (SUB-10), `num_images` is 1, 2 or 4 (SUB-11), `image_urls`
    are up to 5 reference images (SUB-12), and `provider` is the routing strategy: auto, value or
    official (SUB-6).  An invalid value raises ValueError, which names the field.
    """

    aspect_ratio: str = "1:1"
    num_images: int = 1
    image_urls: Iterable[str] = ()
    provider: str = "auto"

    def __post_init__(self) -> None:
        _check_choice("aspect_ratio", self.aspect_ratio, ASPECT_RATIOS)
        _check_choice("num_images", self.num_images, IMAGE_COUNTS)
        _check_choice("provider", self.provider, PROVIDERS)
        # The caller may pass an iterator, but every prompt of a batch needs all URLs.
        object.__setattr__(self, "image_urls", _read_image_urls(self.image_urls))


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A valid request for one task; an invalid value raises ValueError, which names the field."""

    prompt: str
    images: ImageOptions = field(default_factory=ImageOptions)
    callback_url: str | None = None

    def __post_init__(self) -> None:
        _check_prompt(self.prompt)
        if self.callback_url is not None:
            _check_url("callback_url", self.callback_url, ("http", "https"))

    def encode(self) -> bytes:
        """Return the body of the request (SUB-2, SUB-7)."""
        image_urls = list(self.images.image_urls)
        body: dict[str, object] = {
            "request_type": "callback" if self.callback_url else "async",
            "provider": self.images.provider,
            "input": {
                "mode": MODEL,
                "prompt": self.prompt,
                "aspect_ratio": self.images.aspect_ratio,
                "num_images": self.images.num_images,
                **({"image_urls": image_urls} if image_urls else {}),
            },
            **({"callback_url": self.callback_url} if self.callback_url else {}),
        }
        return json.dumps(body, ensure_ascii=False).encode()


def _check_prompt(prompt: object) -> None:
    if not isinstance(prompt, str) or not 1 <= len(prompt) <= PROMPT_MAX:
        raise ValueError(f"prompt: must be a string of 1 to {PROMPT_MAX} characters")
    _check_encodable("prompt", prompt)


def _check_choice(name: str, value: object, choices: tuple[object, ...]) -> None:
    # `True == 1` and `1.0 == 1`, but neither is what the service accepts.
    if not any(type(value) is type(choice) and value == choice for choice in choices):
        *others, last = choices
        allowed = f"{', '.join(map(str, others))} or {last}"
        raise ValueError(f"{name}: must be {allowed} (got {value!r:.60})")


def _read_image_urls(given: object) -> tuple[str, ...]:
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise ValueError("image_urls: must be a list of URLs")  # noqa: TRY004  # as for all values
    urls = tuple(given)
    if len(urls) > IMAGE_URLS_MAX:
        raise ValueError(f"image_urls: must be at most {IMAGE_URLS_MAX} URLs (got {len(urls)})")
    for number, url in enumerate(urls):
        _check_url(f"image_urls[{number}]", url, ("http", "https", "data"))
    return urls


def _check_url(name: str, url: object, schemes: tuple[str, ...]) -> None:
    """Raise ValueError unless this is a URL with a host, or a `data:` URL.

    No message contains the URL, because it may contain a secret.
    """
    expected = f"{name}: must be an {', '.join(schemes[:-1])} or {schemes[-1]} URL"
    if not isinstance(url, str):
        raise ValueError(expected)  # noqa: TRY004  # as for all values
    _check_encodable(name, url)
    if _WHITE_SPACE.search(url):
        raise ValueError(f"{name}: must not contain white space or control characters")
    try:
        parts = urlsplit(url)
        is_complete = parts.scheme == "data" or (bool(parts.hostname) and parts.port != 0)
    except ValueError as error:
        raise ValueError(f"{expected}; {error}") from error
    if parts.scheme not in schemes or not is_complete:
        raise ValueError(expected)


def _check_encodable(name: str, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{name}: contains an unpaired surrogate") from error
