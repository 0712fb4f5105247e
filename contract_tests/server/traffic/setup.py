"""The beginning of a scenario: empty sandboxes with known settings, and the model of them."""

from typing import Final

import msgspec

from contract_tests.server.model.facts import RESULT_TTL_MS, Facts
from contract_tests.server.model.model import Model
from contract_tests.server.probe import Probe
from contract_tests.server.target import Target

_GENERATION_S: Final = 30
_RICH_USD: Final = 1000.0


_FIXED_TIMES: Final = {
    "match": {"operation": "submit"},
    "apply": {"outcome": {"pending": "2s", "processing": "28s"}},
}


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """Which keys a scenario uses, and its settings; without control only the keys matter."""

    keys: tuple[str, ...] = ("own",)
    rate_limit: int = 10_000
    max_tasks: int = 1000
    images_paid: int | None = None
    """The number of images that the balance can pay for; None for a rich account."""
    image_fail_codes: str = "seed"
    fetches_images: bool = False
    """Whether the mock fetches reference images; otherwise it trusts their URLs.

    A fetch may time out on a busy machine, so only images are fetched that fail anyway.
    """
    has_fixed_times: bool = False
    """Whether every task takes 30 s, so that the same steps fit the tasks of any key."""


def begin(probe: Probe, setup: Setup) -> Model:
    """Empty the sandboxes of the keys, set their settings, and return a model of them."""
    if not probe.target.has_control:
        return Model(Facts(), setup.keys)
    price_usd = price_of(probe.target)
    paid = setup.images_paid
    balance_usd = _RICH_USD if paid is None else round(paid * price_usd, 6)
    settings = {
        "generation_time": _GENERATION_S,
        "strict": False,
        "image_urls": "fetch" if setup.fetches_images else "trust",
        "image_fail_codes": setup.image_fail_codes,
        "retry_after": True,
        "rate_limit": setup.rate_limit,
        "max_concurrent": setup.max_tasks,
        "balance": balance_usd,
    }
    facts = Facts(
        price_microusd=round(price_usd * 1e6),
        balance_microusd=round(balance_usd * 1e6),
        rate_limit=setup.rate_limit,
        max_tasks=setup.max_tasks,
        is_strict=False,
        has_clock=True,
        image_fail_codes=setup.image_fail_codes,
        sends_retry_after=True,
        result_ttl_ms=_ttl_ms(probe.target),
    )
    model = Model(facts, setup.keys)
    for key in setup.keys:
        probe.control("DELETE", "sandbox", key=key)
        clock = probe.control("PUT", "clock", {"mode": "manual"}, key=key)
        probe.control("PATCH", "sandbox", settings, key=key)
        if setup.has_fixed_times:
            probe.control("PUT", "rules", {"rules": [_FIXED_TIMES]}, key=key)
        model.set_clock(key, clock["now_ms"])
    return model


def price_of(target: Target) -> float:
    """Return the price of an image in US dollars, as the mock states it."""
    return float((target.info or {}).get("price", 0.035))


def _ttl_ms(target: Target) -> int:
    return round(float((target.info or {}).get("result_ttl", RESULT_TTL_MS / 1000)) * 1000)
