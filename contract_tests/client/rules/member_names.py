"""Finds members of a submit that the contract does not define, and suggests the right names."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final

_TOP: Final = ("request_type", "callback_url", "provider", "input")
_INPUT: Final = ("mode", "prompt", "aspect_ratio", "num_images", "image_urls")
_ALIASES: Final = {  # Names that other services and older pages of the provider use.
    "webhook": "callback_url", "webhook_url": "callback_url", "webhookurl": "callback_url",
    "callback": "callback_url", "callbackurl": "callback_url", "nvariants": "num_images",
    "n": "num_images", "numimages": "num_images", "size": "aspect_ratio", "ratio": "aspect_ratio",
    "aspectratio": "aspect_ratio", "image": "image_urls", "images": "image_urls",
    "imageurls": "image_urls", "image_url": "image_urls", "type": "request_type",
    "maximages": "num_images", "aspect": "aspect_ratio", "requesttype": "request_type",
    "isenhance": "",
}  # fmt: skip
GENERAL_RATIOS: Final = frozenset(  # SUB-19
    {"auto", "16:9", "9:16", "4:3", "3:4", "21:9", "9:21", "4:5", "5:4"}
)
_OF_OTHER_MODELS: Final = frozenset(  # SUB-19, and members that belong to one model or a few.
    {"resolution", "output_format", "negative_prompt", "quality", "seed", "max_images",
     "sequential_image_generation", "web_search", "prompt_optimizer", "enable_sequential",
     "safetyTolerance", "version", "speed", "enableTranslation", "chaos", "stylize", "weird",
     "aspect", "ratio", "size"}
)  # fmt: skip
_MIN_SIMILARITY: Final = 0.7


def unknown_members(body: Mapping[str, Any], input_object: Mapping[str, Any]) -> Iterator[str]:
    """Yield a phrase for each unknown member, with a suggestion if a known name is similar."""
    for path, members, known in (("", body, _TOP), ("input.", input_object, _INPUT)):
        for name in members:
            if name not in known:
                is_foreign = bool(path) and name in _OF_OTHER_MODELS
                suggestion = (
                    "" if is_foreign and name.replace("_", "") not in _ALIASES else _suggest(name)
                )
                hint = f'; did you mean "{suggestion}"?' if suggestion else ""
                if is_foreign:
                    yield f"{path}{name} is documented for other models{hint}"
                else:
                    yield f"unknown member {path}{name}{hint}"


def _suggest(name: str) -> str:
    """Return the path of the member that was probably meant; empty if there is none."""
    plain = name.lower().replace("-", "_")
    known = {*_TOP, *_INPUT}
    found = plain if plain in known else _ALIASES.get(plain.replace("_", ""), _ALIASES.get(plain))
    if found is None:
        similar = get_close_matches(plain, known, n=1, cutoff=_MIN_SIMILARITY)
        found = similar[0] if similar else ""
    return f"input.{found}" if found in _INPUT else found
