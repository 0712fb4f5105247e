"""The switches of `mock-server`, each also an environment variable and a key of the TOML file."""

from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from mock_server.domain.durations import duration_ms
from mock_server.domain.ledger import MICRO
from mock_server.domain.sandbox_settings import CreditsStatus, Dollars, Limit, Speed

ENV_PREFIX = "MOCK_SERVER_"
_DURATION = "a duration such as 30, 2.5, 500ms, 2s, 3m or 15d"
PROFILES = ("calm", "hostile", "outage", "slow", "free-plan", "pro-plan")
_PROFILE = f"{', '.join(PROFILES[:-1])} or {PROFILES[-1]}"
_LIMIT = "a whole number from 1 to 10000000"


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """One switch. `convert` raises ValueError or TypeError for what is not allowed."""

    name: str  # as in the TOML file
    convert: Callable[[Any], Any]
    allowed: str
    help: str
    default: Any = None
    metavar: str | None = None  # None: a flag
    is_repeated: bool = False
    is_secret: bool = False
    shown_default: str = ""

    @property
    def switch(self) -> str:
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        return ENV_PREFIX + self.name.upper()


def _typed(kind: Any) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        return msgspec.convert(value, kind, strict=not isinstance(value, str))

    return convert


def _one_of(*words: str) -> Callable[[Any], str]:
    def convert(value: Any) -> str:
        if value not in words:
            raise ValueError(value)
        return str(value)

    return convert


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(value)
    return value.strip()


def _texts(value: Any) -> tuple[str, ...]:
    written = value.split(",") if isinstance(value, str) else value
    return tuple(_text(each) for each in written)


def _base_url(value: Any) -> str:
    url = _text(value).rstrip("/")
    parts = urlsplit(url)
    _ = parts.port  # raises when it is none
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(value)
    if not url.isascii() or not url.isprintable() or any(char in '"\\<> ' for char in url):
        raise ValueError(value)
    return url


def _micro_dollars(value: Any) -> int:
    return round(float(_typed(Dollars)(value)) * MICRO)


_PORT = Annotated[int, Meta(ge=0, le=65_535)]
_SEED = Annotated[int, Meta(ge=0, le=2**63 - 1)]
_TASKS = Annotated[int, Meta(ge=1, le=100_000_000)]
_BODY = Annotated[int, Meta(ge=1024, le=1024**3)]

OPTIONS = (
    Option(
        name="host", metavar="ADDRESS", convert=_text, default="127.0.0.1",
        allowed="a host name or address", help="Address to listen on.",
    ),
    Option(
        name="port", metavar="PORT", convert=_typed(_PORT), default=8080,
        allowed="a whole number from 0 to 65535", help="Port to listen on; 0 takes a free one.",
    ),
    Option(
        name="seed", metavar="N", convert=_typed(_SEED), shown_default="drawn",
        allowed="a whole number from 0 to 9223372036854775807",
        help="Seed of all chance: same seed, same key, same order of requests, same run.",
    ),
    Option(
        name="clock", metavar="real|manual", convert=_one_of("real", "manual"), default="real",
        allowed="real or manual",
        help="Whether time moves by itself or only when control advances it.",
    ),
    Option(
        name="speed", metavar="X", convert=_typed(Speed), default=1.0,
        allowed="a number above 0, up to 1000000",
        help="How many times faster than real time a real clock goes.",
    ),
    Option(
        name="generation_time", metavar="SECONDS", convert=duration_ms, shown_default="30",
        allowed=_DURATION, help="Average time that a task takes; 0 ends tasks at once.",
    ),
    Option(
        name="rate_limit", metavar="N", convert=_typed(Limit), shown_default="10000",
        allowed=_LIMIT, help="Requests that a key has in any 60 seconds.",
    ),
    Option(
        name="max_concurrent", metavar="N", convert=_typed(Limit), shown_default="1000",
        allowed=_LIMIT, help="Tasks of a key that may be under way at once.",
    ),
    Option(
        name="api_key", metavar="KEY", convert=_texts, default=(), is_repeated=True,
        is_secret=True, shown_default="any key", allowed="one or more keys",
        help="Accept this key only; can be repeated (in the environment: separated by commas).",
    ),
    Option(
        name="balance", metavar="DOLLARS", convert=_micro_dollars, default=100_000 * MICRO,
        shown_default="100000", allowed="a number of dollars from 0 to 1000000000",
        help="Credit that every key begins with.",
    ),
    Option(
        name="public_url", metavar="URL", convert=_base_url,
        shown_default="the host that the client used",
        allowed="an http or https address without query",
        help="Base of the addresses of results.",
    ),
    Option(
        name="egress", metavar="loopback|private|public", default="private",
        convert=_one_of("loopback", "private", "public"), allowed="loopback, private or public",
        help="What callbacks and image downloads may reach.",
    ),
    Option(
        name="image_urls", metavar="trust|fetch", convert=_one_of("trust", "fetch"),
        default="trust", allowed="trust or fetch",
        help="Judge reference images by their address, or download them.",
    ),
    Option(
        name="strict", convert=_typed(bool), default=False, allowed="true or false",
        help="Public HTTPS callbacks and the model page's mode only; no directives in prompts.",
    ),
    Option(
        name="admin_token", metavar="TOKEN", convert=_text, is_secret=True,
        shown_default="none", allowed="a text",
        help="Token for what concerns all sandboxes.",
    ),
    Option(
        name="log_format", metavar="text|json", convert=_one_of("text", "json"), default="text",
        allowed="text or json", help="How the log on standard error is written.",
    ),
    Option(
        name="insufficient_credits_status", metavar="400|402", convert=_typed(CreditsStatus),
        default=400, allowed="400 or 402", help="Status for a key without credit.",
    ),
    Option(
        name="retry_after", convert=_typed(bool), default=True, allowed="true or false",
        help="Send Retry-After with a 429.",
    ),
    Option(
        name="image_fail_codes", metavar="seed|docs", convert=_one_of("seed", "docs"),
        default="seed", allowed="seed or docs",
        help="INVALID_IMAGE_URL for every bad image, or the error pages' three codes.",
    ),
    Option(
        name="task_ids", metavar="plain|reserved", convert=_one_of("plain", "reserved"),
        default="plain", allowed="plain or reserved",
        help="End task ids with characters that an address must escape, or not.",
    ),
    Option(
        name="price", metavar="DOLLARS", convert=_typed(Dollars), shown_default="0.035",
        allowed="a number of dollars from 0 to 1000000000", help="Price of an image.",
    ),
    Option(
        name="result_ttl", metavar="DURATION", convert=duration_ms, shown_default="15d",
        allowed=_DURATION, help="How long results can be downloaded.",
    ),
    Option(
        name="moderation", metavar="FILE", convert=_text,
        shown_default="fixtures/moderation.txt", allowed="the path of a word list",
        help="Words that end a task as CONTENT_VIOLATION, one a line.",
    ),
    Option(
        name="callback_timeout", metavar="SECONDS", convert=duration_ms, default=30_000,
        shown_default="30", allowed=_DURATION,
        help="How long a callback receiver may take, in real time.",
    ),
    Option(
        name="body_limit", metavar="BYTES", convert=_typed(_BODY), default=16 * 1024 * 1024,
        allowed="a whole number from 1024 to 1073741824", help="Longest request body.",
    ),
    Option(
        name="max_tasks", metavar="N", convert=_typed(_TASKS), default=2_000_000,
        allowed="a whole number from 1 to 100000000",
        help="Tasks kept in all; ended ones are dropped first, oldest first.",
    ),
    Option(
        name="profile", metavar="NAME", convert=_one_of(*PROFILES), default="calm",
        allowed=_PROFILE, help=f"Ready set of rules: {_PROFILE}.",
    ),
    Option(
        name="provenance", convert=_typed(bool), default=True, allowed="true or false",
        help="Tell in the headers Mock-Rule and Mock-Fault what was injected.",
    ),
    Option(
        name="restore", metavar="FILE", convert=_text, shown_default="none",
        allowed="the path of a snapshot", help="Begin with the sandbox of this snapshot.",
    ),
    Option(
        name="allowed_host", metavar="NAME", convert=_texts, default=(), is_repeated=True,
        shown_default="none", allowed="one or more host names",
        help="Let browsers come by this name; loopback names, addresses and one-label names may.",
    ),
)  # fmt: skip
