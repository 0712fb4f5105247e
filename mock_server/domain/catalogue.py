"""The provider's catalogue: its models and fail codes, as data."""

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated

import msgspec
from msgspec import Meta

AUTO_RATIO = "auto"  # The model chooses; this one chooses its default.


GeneralRatio = Annotated[str, Meta(pattern=rf"^({AUTO_RATIO}|[1-9]\d*:[1-9]\d*)$")]


class AspectRatio(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    width: int
    height: int


class Timing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The distribution of task durations (TIM-1): lognormal, with `sigma`, limited by `clip`."""

    generation_time_s: float
    sigma: float
    clip: float
    pending_min_s: float
    pending_max_s: float
    pending_max_share: float


class Model(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, dict=True):
    """One entry of the catalogue; the first aspect ratio and image count are the defaults.

    `general_ratios` are ratios that another page gives for all models (SUB-19).
    """

    id: str
    modes: tuple[str, ...]
    strict_modes: tuple[str, ...]
    aspect_ratios: tuple[AspectRatio, ...]
    general_ratios: tuple[GeneralRatio, ...]
    image_counts: tuple[int, ...]
    prompt_max_length: int
    max_image_urls: int
    max_image_bytes: int
    image_formats: tuple[str, ...]
    price_usd: float
    result_ttl_s: float
    timing: Timing

    @cached_property
    def generation_time_ms(self) -> int:
        """The average duration of a task in milliseconds (TIM-1)."""
        return round(self.timing.generation_time_s * 1000)

    @property
    def result_ttl_ms(self) -> int:
        """How long a result can be downloaded, in milliseconds (RES-1)."""
        return round(self.result_ttl_s * 1000)

    def ratio(self, name: str) -> AspectRatio:
        return next(ratio for ratio in self.aspect_ratios if ratio.name == name)

    def nearest_ratio(self, name: str) -> AspectRatio:
        """Return the ratio of this model that is nearest to a general one (SUB-19)."""
        if name == AUTO_RATIO:
            return self.aspect_ratios[0]
        width, height = map(int, name.split(":"))
        return min(
            self.aspect_ratios,
            key=lambda each: abs(math.log(width * each.height / (height * each.width))),
        )


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    models: Mapping[str, Model]
    fail_messages: Mapping[str, str]
    moderated_words: frozenset[str]

    @property
    def first_model(self) -> Model:
        return next(iter(self.models.values()))


def parse_model(toml: bytes) -> Model:
    """Return the model in a TOML text. Raises msgspec.ValidationError if it is invalid."""
    return msgspec.toml.decode(toml, type=Model)


def parse_fail_messages(toml: bytes) -> dict[str, str]:
    return msgspec.toml.decode(toml, type=dict[str, str])
