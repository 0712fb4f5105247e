"""What can be asked of the service, checked before anything is sent."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Self
from urllib.parse import urlsplit

MODEL = "gpt-image-1"
PROMPT_MAX = 10_000  # SUB-9, code points
ASPECT_RATIOS = ("1:1", "3:2", "2:3")  # SUB-10
IMAGE_COUNTS = (1, 2, 4)  # SUB-11
IMAGE_URLS_MAX = 5  # SUB-12
PROVIDERS = ("auto", "value", "official")  # SUB-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A valid order for pictures."""

    prompt: str
    aspect_ratio: str
    num_images: int
    image_urls: tuple[str, ...]
    provider: str
    callback_url: str | None

    @classmethod
    def of(  # as many as the request has
        cls,
        prompt: str,
        *,
        aspect_ratio: str = "1:1",
        num_images: int = 1,
        image_urls: Iterable[str] = (),
        provider: str = "auto",
        callback_url: str | None = None,
    ) -> Self:
        """Raise ValueError that names the field and says what it takes."""
        _check_prompt(prompt)
        _check_choice("aspect_ratio", aspect_ratio, ASPECT_RATIOS)
        _check_choice("num_images", num_images, IMAGE_COUNTS)
        _check_choice("provider", provider, PROVIDERS)
        if callback_url is not None:
            _check_address("callback_url", callback_url, ("http", "https"))
        return cls(
            prompt=prompt,
            aspect_ratio=aspect_ratio,
            num_images=num_images,
            image_urls=_image_urls(image_urls),
            provider=provider,
            callback_url=callback_url,
        )

    def with_prompt(self, prompt: str) -> Self:
        """Return the same order for another prompt; raise ValueError as `of` does."""
        _check_prompt(prompt)
        return replace(self, prompt=prompt)

    def encoded(self) -> bytes:
        """Return the body of the request (SUB-2, SUB-7)."""
        asked: dict[str, object] = {
            "mode": MODEL,
            "prompt": self.prompt,
            "aspect_ratio": self.aspect_ratio,
            "num_images": self.num_images,
        }
        if self.image_urls:
            asked["image_urls"] = self.image_urls
        body: dict[str, object] = {
            "request_type": "callback" if self.callback_url else "async",
            "provider": self.provider,
            "input": asked,
        }
        if self.callback_url:
            body["callback_url"] = self.callback_url
        return json.dumps(body, ensure_ascii=False).encode()


def _check_prompt(prompt: object) -> None:
    if not isinstance(prompt, str) or not 1 <= len(prompt) <= PROMPT_MAX:
        raise ValueError(f"prompt: must be a string of 1 to {PROMPT_MAX} characters")
    _check_text("prompt", prompt)


def _check_text(field: str, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{field}: holds half a surrogate pair, which is no character") from error


def _check_choice(field: str, value: object, choices: tuple[object, ...]) -> None:
    is_one = any(type(value) is type(choice) and value == choice for choice in choices)
    if not is_one:
        allowed = ", ".join(str(choice) for choice in choices)
        raise ValueError(f"{field}: must be one of {allowed}, not {value!r:.60}")


def _image_urls(given: Iterable[str]) -> tuple[str, ...]:
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise ValueError("image_urls: must be a list of addresses, not one of them")  # noqa: TRY004
    urls = tuple(given)
    if len(urls) > IMAGE_URLS_MAX:
        raise ValueError(f"image_urls: must be at most {IMAGE_URLS_MAX}, not {len(urls)}")
    for number, url in enumerate(urls):
        _check_address(f"image_urls[{number}]", url, ("http", "https", "data"))
    return urls


def _check_address(field: str, url: object, schemes: tuple[str, ...]) -> None:
    """Take a `data:` address, which carries its image with it, or one with a host."""
    expected = f"{field}: must be an {', '.join(schemes[:-1])} or {schemes[-1]} address"
    if not isinstance(url, str):
        raise ValueError(expected)  # noqa: TRY004  # one kind of error for every bad value
    _check_text(field, url)
    if any(ord(character) <= 32 or ord(character) == 127 for character in url):
        raise ValueError(f"{field}: must not contain white space or control characters")
    try:
        parts = urlsplit(url)
        is_whole = parts.scheme == "data" or (bool(parts.hostname) and parts.port != 0)
    except ValueError as error:
        raise ValueError(f"{expected}; {error}") from error
    if parts.scheme not in schemes or not is_whole:
        raise ValueError(expected)
