"""The settings of the server: one annotated field each."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from mock_server.domain.api_key import MAX_KEY_LENGTH
from mock_server.domain.catalogue import Model
from mock_server.domain.clock import Mode
from mock_server.domain.profiles import Profile
from mock_server.domain.sandbox_settings import (
    ClockSettings,
    SandboxDefaults,
    SandboxSettings,
    Speed,
)
from mock_server.domain.setting import Declaration, Setting, shown_values
from mock_server.domain.setting_forms import (
    BASE_URL,
    BYTES,
    DOLLARS,
    DURATION,
    ORIGINS,
    TABLES,
    Dollars,
    text,
    texts,
)
from mock_server.domain.store_address import MEMORY, STORE

ENV_PREFIX = "MOCK_SERVER_"

_FILE = text("the path of a file", "FILE")


class Settings(SandboxDefaults, frozen=True, kw_only=True):
    """All settings of a server. What it inherits is the default of every sandbox."""

    host: Annotated[
        str,
        Setting(help="Address to listen on.", form=text("a host name or an address", "ADDRESS")),
    ] = "127.0.0.1"
    port: Annotated[
        Annotated[int, Meta(ge=0, le=65_535)],
        Setting(help="Port to listen on; 0 selects a free port."),
    ] = 8080
    tls: Annotated[
        bool,
        Setting(help="Serve https with a generated certificate; the file of its CA is printed."),
    ] = False
    tls_cert: Annotated[
        str | None,
        Setting(help="Serve https with this certificate chain (PEM).", form=_FILE, default="none"),
    ] = None
    tls_key: Annotated[
        str | None,
        Setting(help="Private key of --tls-cert (PEM).", form=_FILE, default="none"),
    ] = None
    seed: Annotated[
        Annotated[int, Meta(ge=0, le=2**63 - 1)] | None,
        Setting(
            help="Random seed. The same seed, API key and request order reproduce a run.",
            default="random",
        ),
    ] = None
    clock: Annotated[
        Mode, Setting(help="Clock of a new sandbox: real time, or moved by the control plane only.")
    ] = "real"
    speed: Annotated[Speed, Setting(help="Speed of a real clock, as a multiple of real time.")] = (
        1.0
    )
    api_key: Annotated[
        tuple[str, ...],
        Setting(
            help="Accepted API key; can be repeated (environment: separate keys with commas).",
            form=texts(
                f"one or more keys of at most {MAX_KEY_LENGTH} characters",
                "KEY",
                max_length=MAX_KEY_LENGTH,
            ),
            default="any key",
            is_secret=True,
        ),
    ] = ()
    public_url: Annotated[
        str | None,
        Setting(
            help="Base URL of results.", form=BASE_URL, default="the host that the client used"
        ),
    ] = None
    egress: Annotated[
        Literal["loopback", "private", "public"],
        Setting(help="Networks that callbacks and image downloads may reach."),
    ] = "private"
    admin_token: Annotated[
        str | None,
        Setting(
            help="Token that calls for all sandboxes require.",
            form=text("a text that is not blank", "TOKEN"),
            default="none",
            is_secret=True,
        ),
    ] = None
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Setting(help="Lowest level that is logged; info logs each request, warning is faster."),
    ] = "info"
    log_format: Annotated[
        Literal["text", "json"], Setting(help="Format of the log on standard error.")
    ] = "text"
    price_usd: Annotated[
        Dollars | None, Setting(help="Price of an image.", form=DOLLARS, default="0.035")
    ] = None
    result_ttl_ms: Annotated[
        int | None,
        Setting(help="Time for which results can be downloaded.", form=DURATION, default="15d"),
    ] = None
    moderation: Annotated[
        str | None,
        Setting(
            help="Word list: a prompt with one of its words ends as CONTENT_VIOLATION.",
            form=_FILE,
            default="fixtures/moderation.txt",
        ),
    ] = None
    callback_timeout_ms: Annotated[
        int,
        Setting(help="Time limit for the receiver of a callback, in real time.", form=DURATION),
    ] = 30_000
    body_limit_bytes: Annotated[
        Annotated[int, Meta(ge=1024, le=1024**3)],
        Setting(help="Maximum size of a request body.", form=BYTES),
    ] = 16 * 1024 * 1024
    head_timeout_ms: Annotated[
        int,
        Setting(
            help="Time limit for the headers of a request, from its first byte; 0 is no limit.",
            form=DURATION,
        ),
    ] = 60_000
    body_timeout_ms: Annotated[
        int,
        Setting(
            help="Time limit for the next part of a body to be sent or read; 0 is no limit.",
            form=DURATION,
        ),
    ] = 60_000
    # Clients close idle connections earlier, so the server closes none while a submit arrives.
    keep_alive_timeout_ms: Annotated[
        int,
        Setting(
            help="Time after which a connection without a request is closed; 0 is no limit.",
            form=DURATION,
        ),
    ] = 75_000
    store: Annotated[
        str,
        Setting(
            help="Where sandboxes are stored: memory, sqlite:FILE or redis://HOST:PORT/DB.",
            form=STORE,
        ),
    ] = MEMORY
    store_sync: Annotated[
        Literal["normal", "full"],
        Setting(
            help="With sqlite: normal may lose the last changes in a power cut, full does not."
        ),
    ] = "normal"
    store_ttl_ms: Annotated[
        int,
        Setting(
            help="Time after which Redis deletes an unused sandbox; at least 1m.",
            form=DURATION,
            default="7d",
        ),
    ] = 7 * 86_400_000
    workers: Annotated[
        Annotated[int, Meta(ge=1, le=256)],
        Setting(
            help="Number of processes that serve together; more than 1 needs a store in Redis."
        ),
    ] = 1
    max_tasks: Annotated[
        Annotated[int, Meta(ge=1, le=100_000_000)],
        Setting(
            help="Maximum tasks of all sandboxes; the oldest completed tasks are dropped first."
        ),
    ] = 2_000_000
    journal_memory_bytes: Annotated[
        Annotated[int, Meta(ge=1024**2, le=1024**4)],
        Setting(
            help="Maximum memory of all journals; the largest ones lose their oldest entries.",
            form=BYTES,
        ),
    ] = 256 * 1024 * 1024
    provenance: Annotated[
        bool, Setting(help="Name injected faults in the headers Mock-Rule and Mock-Fault.")
    ] = True
    restore: Annotated[
        str | None,
        Setting(help="Snapshot to restore at the start.", form=_FILE, default="none"),
    ] = None
    allowed_host: Annotated[
        tuple[str, ...],
        Setting(
            help="Host name that browsers may use, beside local names; can be repeated.",
            form=texts("one or more host names", "NAME"),
            default="none",
        ),
    ] = ()
    cors: Annotated[
        tuple[str, ...],
        Setting(
            help="Origin of web pages that may call the server; can be repeated; * is any.",
            form=ORIGINS,
            default="none",
        ),
    ] = ()
    rules: Annotated[
        tuple[dict[str, Any], ...],
        Setting(
            help="Rules of every sandbox, as for PUT /_mock/rules.",
            form=TABLES,
            default="none",
            is_file_only=True,
        ),
    ] = ()

    def __repr__(self) -> str:
        return f"Settings({self.shown()})"

    def shown(self) -> dict[str, Any]:
        """Return the values by public name, as people write them, without the secrets."""
        return shown_values(Settings, self)

    @property
    def logs_requests(self) -> bool:
        return self.log_level in {"debug", "info"}

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values that must not be shown or logged."""
        return self.api_key if self.admin_token is None else (*self.api_key, self.admin_token)

    @property
    def base_url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.uses_tls else 'http'}://{host}:{self.port}"

    @property
    def uses_tls(self) -> bool:
        return self.tls or self.tls_cert is not None

    @property
    def browser_url(self) -> str:
        """The base URL for a browser on this machine; 0.0.0.0 is no address to open."""
        url = self.base_url.replace("//0.0.0.0:", "//127.0.0.1:")
        return url.replace("//[::]:", "//[::1]:")

    def of_sandbox(self, profile: Profile) -> SandboxSettings:
        """Return how every sandbox starts. A value that is set by name overrides the profile."""
        values: dict[str, Any] = {}
        for source in (profile, self):
            for field in SandboxDefaults.__struct_fields__:
                value = getattr(source, field, None)
                if value is not None:
                    values[field] = value
        return SandboxSettings(**(values | {"profile": profile.name}))

    def of_clock(self) -> ClockSettings:
        return ClockSettings(mode=self.clock, speed=self.speed)

    def in_effect(self, profile: Profile, model: Model) -> "Settings":
        """Return the settings with the values of the profile and the model where none is set."""
        sandbox = self.of_sandbox(profile)
        chosen_ms = sandbox.generation_time_ms
        return msgspec.structs.replace(
            self,
            rate_limit=sandbox.rate_limit,
            max_concurrent=sandbox.max_concurrent,
            generation_time_ms=round(model.timing.generation_time_s * 1000)
            if chosen_ms is None
            else chosen_ms,
            price_usd=model.price_usd,
            result_ttl_ms=round(model.result_ttl_s * 1000),
        )


def switch(declaration: Declaration) -> str:
    return "--" + declaration.name.replace("_", "-")


def variable(declaration: Declaration) -> str:
    return ENV_PREFIX + declaration.name.upper()


def default_text(declaration: Declaration) -> str:
    """Return the default in its written form."""
    if declaration.setting.default:
        return declaration.setting.default
    default = declaration.default
    if default is None:  # A profile may set it; this is the default without one.
        default = getattr(SandboxSettings(), declaration.field)
    return declaration.text_of(default)
