"""An answer of the provider, before it is written on the wire."""

import msgspec

from mock_server.web import envelope

Header = tuple[bytes, bytes]


class Answer(msgspec.Struct, frozen=True, gc=False):
    """What is said at an instant of the sandbox's clock."""

    status: int
    body: bytes
    now_ms: int
    task_id: str = ""
    headers: tuple[Header, ...] = ()
    content_type: bytes | None = envelope.JSON  # None: no content at all (304)
    owes_callback: bool = False  # something is to be delivered once this has been sent
