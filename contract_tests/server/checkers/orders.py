"""Reads what a submit orders, without judging whether it is valid."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from contract_tests.server.checkers.json_values import decoded, members_of
from contract_tests.server.events import Request
from contract_tests.server.world import RECEIVER


class Order:
    """The members of the body of a submit, with the defaults of the contract."""

    def __init__(self, request: Request, settings: Mapping[str, Any]) -> None:
        self.request = request
        self.settings = settings

    @cached_property
    def body(self) -> Mapping[str, Any]:
        """The decoded body, or no members if it is not an object."""
        return members_of(decoded(self.request.body))

    @property
    def input(self) -> Mapping[str, Any]:
        given = self.body.get("input")
        return given if isinstance(given, dict) else {}

    @property
    def images(self) -> int | None:
        """The number of images, or None if the order is not valid (SUB-11)."""
        count = self.input.get("num_images")
        if count is None:
            return 1
        return count if type(count) is int and count in {1, 2, 4} else None

    @property
    def has_default_images(self) -> bool:
        """Whether the order omits the number of images; then 1 is this project's choice."""
        return self.input.get("num_images") is None

    @property
    def ratio(self) -> str | None:
        """The aspect ratio, or None if the model page does not have it (SUB-10)."""
        ratio = self.input.get("aspect_ratio")
        if ratio is None:
            return "1:1"
        return ratio if ratio in ("1:1", "3:2", "2:3") else None

    @property
    def prompt(self) -> str:
        prompt = self.input.get("prompt")
        return prompt if isinstance(prompt, str) else ""

    @property
    def references(self) -> tuple[str, ...]:
        """The addresses of the reference images."""
        urls = self.input.get("image_urls")
        return tuple(url for url in urls if isinstance(url, str)) if isinstance(urls, list) else ()

    @property
    def is_callback(self) -> bool:
        return self.body.get("request_type") == "callback"

    @property
    def callback_name(self) -> str | None:
        """The name at the kit's receiver in `callback_url`, also of a task without callbacks."""
        url = self.body.get("callback_url")
        if not isinstance(url, str) or not url.startswith(f"{RECEIVER}/"):
            return None
        return url.removeprefix(f"{RECEIVER}/")

    @property
    def has_directives(self) -> bool:
        """Whether the prompt tells the mock how the task ends."""
        return "[[mock" in self.prompt
