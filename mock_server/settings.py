"""Everything that can be configured, put together once: command line over environment over file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from mock_server.domain.clock import Mode
from mock_server.domain.ledger import MICRO
from mock_server.domain.nearest import did_you_mean
from mock_server.domain.profiles import CALM, Profile
from mock_server.domain.sandbox_settings import (
    ClockSettings,
    CreditsStatus,
    ImageFailCodes,
    ImageUrls,
    SandboxSettings,
    TaskIds,
)
from mock_server.options import ENV_PREFIX, OPTIONS, Option


class BadSetting(Exception):
    """One line that names the switch, variable or key, and says what it takes."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The values of the switches; `options.py` says what each means."""

    host: str = "127.0.0.1"
    port: int = 8080
    seed: int | None = None
    clock: Mode = "real"
    speed: float = 1.0
    generation_time: int | None = None  # milliseconds
    rate_limit: int | None = None  # None: as the profile says
    max_concurrent: int | None = None
    api_key: tuple[str, ...] = ()
    balance: int = 100_000 * MICRO  # millionths of a dollar
    public_url: str | None = None
    egress: Literal["loopback", "private", "public"] = "private"
    image_urls: ImageUrls = "trust"
    strict: bool = False
    admin_token: str | None = None
    log_format: Literal["text", "json"] = "text"
    insufficient_credits_status: CreditsStatus = 400
    retry_after: bool = True
    image_fail_codes: ImageFailCodes = "seed"
    task_ids: TaskIds = "plain"
    price: float | None = None  # dollars
    result_ttl: int | None = None  # milliseconds
    moderation: str | None = None
    callback_timeout: int = 30_000  # milliseconds
    body_limit: int = 16 * 1024 * 1024
    max_tasks: int = 2_000_000
    profile: str = CALM
    provenance: bool = True
    restore: str | None = None
    allowed_host: tuple[str, ...] = ()
    rules: tuple[dict[str, Any], ...] = ()  # of the file

    def __repr__(self) -> str:
        return f"Settings({self.shown()})"

    def shown(self) -> dict[str, Any]:
        """Return the values as they are written, but for the secrets."""
        hidden = {option.name for option in OPTIONS if option.is_secret}
        values = {
            name: getattr(self, name) for name in self.__struct_fields__ if name not in hidden
        }
        for name in ("generation_time", "result_ttl", "callback_timeout"):
            values[name] = None if values[name] is None else values[name] / 1000
        return values | {"balance": self.balance / MICRO}

    @property
    def base_url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def of_sandbox(self, profile: Profile) -> SandboxSettings:
        """Return how every sandbox begins; what is set by name goes over the profile."""
        documented = SandboxSettings()
        return SandboxSettings(
            profile=profile.name,
            rate_limit=self.rate_limit or profile.rate_limit or documented.rate_limit,
            max_concurrent=self.max_concurrent
            or profile.max_concurrent
            or documented.max_concurrent,
            generation_time_ms=profile.generation_time_ms
            if self.generation_time is None
            else self.generation_time,
            balance_microusd=self.balance,
            image_urls=self.image_urls,
            image_fail_codes=self.image_fail_codes,
            strict=self.strict,
            insufficient_credits_status=self.insufficient_credits_status,
            retry_after=self.retry_after,
            task_ids=self.task_ids,
        )

    def of_clock(self) -> ClockSettings:
        return ClockSettings(mode=self.clock, speed=self.speed)


def load_settings(
    given: Mapping[str, Any], environ: Mapping[str, str], config: Path | None
) -> Settings:
    """Merge the three sources. Raises BadSetting."""
    by_name = {option.name: option for option in OPTIONS}
    written = {} if config is None else _read_file(config, by_name)
    values: dict[str, Any] = {"rules": _rules(written.pop("rules", []), config)}
    for name, option in by_name.items():
        if name in given:
            values[name] = _convert(option, given[name], option.switch)
        elif option.variable in environ:
            values[name] = _convert(option, environ[option.variable], option.variable)
        elif name in written:
            values[name] = _convert(option, written[name], f"{config}: {name}")
    return Settings(**values)


def unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """Return a sentence for each variable that looks like a setting and is none."""
    known = {option.variable for option in OPTIONS} | {f"{ENV_PREFIX}CONFIG"}
    return [
        f"{name}: is not a setting{did_you_mean(name, known)}"
        for name in sorted(environ)
        if name.startswith(ENV_PREFIX) and name not in known
    ]


def _read_file(path: Path, known: Mapping[str, Option]) -> dict[str, Any]:
    try:
        read = msgspec.toml.decode(path.read_bytes())
    except (OSError, UnicodeDecodeError, msgspec.DecodeError, RecursionError) as error:
        raise BadSetting(f"{path}: cannot be read as TOML; {error}") from error
    written = {name.replace("-", "_"): value for name, value in read.items()}
    for name in written:
        if name not in known and name != "rules":
            hint = did_you_mean(name, [*known, "rules"])
            raise BadSetting(f"{path}: {name}: is not a setting{hint}")
    return written


def _rules(written: object, path: Path | None) -> tuple[dict[str, Any], ...]:
    if not isinstance(written, list) or not all(isinstance(rule, dict) for rule in written):
        raise BadSetting(f"{path}: rules: must be tables, each under [[rules]]")
    return tuple(written)


def _convert(option: Option, value: object, source: str) -> Any:
    try:
        return option.convert(value)
    except (ValueError, TypeError) as error:
        shown = "" if option.is_secret else f", not {str(value)[:100]!r}"
        raise BadSetting(f"{source}: must be {option.allowed}{shown}") from error
