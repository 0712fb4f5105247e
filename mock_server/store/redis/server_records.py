"""What all processes of one mock agree on, stored in Redis: format, seed and catalogue."""

from collections.abc import Awaitable, Callable, Sequence
from secrets import token_hex
from typing import TypeAlias

import msgspec

from mock_server.domain.command_codec import FORMAT
from mock_server.domain.errors import InvalidValue, NewerFormat
from mock_server.domain.sandbox.state import SandboxTemplate
from mock_server.store.catalogue_record import CatalogueRecord, switch_difference
from mock_server.store.redis.client import Command, Reply
from mock_server.store.redis.keys import PREFIX, SERVER

_SECRET_BYTES = 32
Send: TypeAlias = Callable[[Sequence[Command]], Awaitable[list[Reply]]]


class _Version(msgspec.Struct, frozen=True):
    format: int


class ServerRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The value of the key `server`.

    `instance` changes when Redis has lost its data. The `secret` signs sessions of the dashboard.
    """

    format: int
    seed: int
    catalogue: CatalogueRecord
    instance: str
    secret: str


def adopt(stored: bytes | None, own: ServerRecord, *, is_seed_chosen: bool) -> ServerRecord:
    """Return the record for this process; raise if it cannot work with the other processes."""
    if stored is None:
        return own
    found = _decoded(stored)
    if found.catalogue != own.catalogue:
        raise _other_catalogue(found.catalogue, own.catalogue)
    if is_seed_chosen and found.seed != own.seed:
        raise InvalidValue(
            "--seed",
            f"the mock in this Redis has the seed {found.seed} (got {own.seed});"
            f" use --seed {found.seed}, or use another database",
        )
    return found


def _other_catalogue(found: CatalogueRecord, own: CatalogueRecord) -> InvalidValue:
    """Return the error about a catalogue that would give commands other results."""
    difference = switch_difference(found, own)
    if difference is None:
        return InvalidValue(
            "--store",
            "the mock in this Redis has other models or fail codes; use the same version of"
            " apixo-testkit in all processes, or use another database",
        )
    switch = difference.switch
    return InvalidValue(
        switch,
        f"the mock in this Redis has {difference.found} (got {difference.own});"
        f" use {switch} {difference.found}, or use another database",
    )


def _decoded(stored: bytes) -> ServerRecord:
    """Return the record in Redis. A newer version may have given it other members."""
    try:
        if (found := msgspec.json.decode(stored, type=_Version).format) > FORMAT:
            raise NewerFormat(
                f"a newer version of the mock uses this Redis (format {found}, this version"
                f" reads formats up to {FORMAT}); upgrade this process"
            )
        return msgspec.json.decode(stored, type=ServerRecord)
    except msgspec.DecodeError as error:
        raise InvalidValue(
            "--store",
            f"the key {SERVER} in this Redis is damaged ({error}); delete all keys that begin with"
            f" {PREFIX}, or use another database",
        ) from error


class ServerRecords:
    """Keeps the record of this process equal to that in Redis."""

    def __init__(self, template: SandboxTemplate, *, is_seed_chosen: bool, ttl_ms: int) -> None:
        self.template = template
        self._ttl_ms = ttl_ms
        self._is_seed_chosen = is_seed_chosen
        self._own = ServerRecord(
            format=FORMAT,
            seed=template.seed,
            catalogue=CatalogueRecord.of(template),
            instance=token_hex(8),
            secret=token_hex(_SECRET_BYTES),
        )

    @property
    def instance(self) -> str:
        """The name of the data in Redis. It changes when Redis has lost its data."""
        return self._own.instance

    @property
    def secret(self) -> bytes:
        return self._own.secret.encode()

    async def hello(self, send: Send) -> None:
        """Adopt what is stored, or store what this process has.

        Raises NewerFormat, InvalidValue.
        """
        own = msgspec.structs.replace(self._own, instance=token_hex(8))
        _, stored = await send(
            [
                ("SET", SERVER, msgspec.json.encode(own), "NX", "PX", self._ttl_ms),
                ("GET", SERVER),
            ]
        )
        found = adopt(stored, own, is_seed_chosen=self._is_seed_chosen)
        self._own = msgspec.structs.replace(found, format=FORMAT)
        if found.format < FORMAT:  # Older processes must not read what this one writes.
            await send([("SET", SERVER, msgspec.json.encode(self._own), "PX", self._ttl_ms)])
        self.template = msgspec.structs.replace(self.template, seed=self._own.seed)
