"""The factors that scenarios combine, their values, and which values exclude each other."""

from typing import Final

from contract_tests.server.traffic.array import Exclusion, Space

FACTORS: Final = {
    "request_type": ("absent", "async", "callback"),
    "route": ("absent", "auto", "value", "official"),
    "mode": ("absent", "gpt-image-1", "text-to-image", "image-to-image"),
    "count": ("absent", "1", "2", "4"),
    "ratio": ("absent", "1:1", "3:2", "2:3"),
    "references": (
        "none", "good-url", "good-data", "unreachable", "wrong-format", "too-large", "no-image",
    ),
    "prompt": ("plain", "unicode", "shortest", "longest", "moderated"),
    "outcome": ("natural", "ended-early", "failed-early"),
    "receiver": ("none", "unused", "accepts", "rejects", "slow", "dead"),
    "watch": ("small-steps", "at-the-end", "after-the-end", "much-later"),
    "then": ("nothing", "retries", "expiry"),
    "actor": ("nobody", "other-key-submits", "other-key-reads", "second-task", "rejected-submit"),
    "limit": ("far", "rate", "tasks", "balance"),
}  # fmt: skip
"""Each factor with its values. `route` is the member `provider`."""

_CALLBACKS: Final = ("accepts", "rejects", "slow", "dead")
_BAD: Final = ("unreachable", "wrong-format", "too-large", "no-image")

EXCLUSIONS: Final = (
    # Only a callback task has a receiver; another task may have a URL that is not used.
    Exclusion("request_type", ("callback",), "receiver", ("none", "unused")),
    Exclusion("request_type", ("absent", "async"), "receiver", _CALLBACKS),
    # A task that fails anyway is not ended early.
    Exclusion("outcome", ("ended-early", "failed-early"), "prompt", ("moderated",)),
    Exclusion("outcome", ("ended-early", "failed-early"), "references", _BAD),
    # One cause of a failure at a time, so that the fail code is determined.
    Exclusion("prompt", ("moderated",), "references", _BAD),
)

REJECTING: Final = ("rejects-2xx", "rejects-4xx", "rejects-5xx")
"""The value `rejects` by the status of the receiver: in real time, only one retry can be seen."""

REAL_TIME_FACTORS: Final = {
    "request_type": FACTORS["request_type"],
    "route": FACTORS["route"],
    "mode": FACTORS["mode"],
    "count": FACTORS["count"],
    "ratio": FACTORS["ratio"],
    "references": (
        "none", "good-url", "good-data", "unreachable", "wrong-format", "no-image",
    ),
    "prompt": FACTORS["prompt"],
    "receiver": ("none", "unused", "accepts", *REJECTING),
    "actor": ("nobody", "other-key-submits", "other-key-reads", "rejected-submit"),
}  # fmt: skip
"""What a server without a control plane can be asked in the time of one generation."""

_REAL_TIME_BAD: Final = ("unreachable", "wrong-format", "no-image")
_REAL_TIME_CALLBACKS: Final = ("accepts", *REJECTING)
_REAL_TIME_EXCLUSIONS: Final = (
    Exclusion("request_type", ("callback",), "receiver", ("none", "unused")),
    Exclusion("request_type", ("absent", "async"), "receiver", _REAL_TIME_CALLBACKS),
    Exclusion("prompt", ("moderated",), "references", _REAL_TIME_BAD),
)
REAL_TIME_SPACE: Final = Space(REAL_TIME_FACTORS, _REAL_TIME_EXCLUSIONS)
STRICT_SPACE: Final = Space({**REAL_TIME_FACTORS, "mode": ("gpt-image-1",)}, _REAL_TIME_EXCLUSIONS)
"""The part of it that a server may not reject: pages disagree about other modes (SUB-8)."""
SPACE: Final = Space(FACTORS, EXCLUSIONS)
