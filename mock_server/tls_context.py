"""A TLS context for servers that answers a client that forgot TLS instead of hanging up."""

import logging
import ssl
from typing import Any, Final

import msgspec

log = logging.getLogger("mock_server")

_ADVICE: Final = "this port uses TLS: use https:// instead of http://"
_BODY: Final = msgspec.json.encode({"code": 400, "message": _ADVICE, "data": None})
_ANSWER: Final = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\nConnection: close\r\n\r\n%b" % (len(_BODY), _BODY)
)


class ServerContext(ssl.SSLContext):
    """Its connections send an HTTP response where a client speaks HTTP without TLS."""

    def wrap_bio(
        self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, *args: Any, **kwargs: Any
    ) -> ssl.SSLObject:
        connection = super().wrap_bio(incoming, outgoing, *args, **kwargs)
        assert isinstance(connection, _Connection)
        connection.outgoing = outgoing
        return connection


class _Connection(ssl.SSLObject):
    outgoing: ssl.MemoryBIO | None = None

    def do_handshake(self) -> None:
        try:
            super().do_handshake()
        except ssl.SSLWantReadError:
            raise
        except ssl.SSLError as error:
            if self.outgoing is None:  # The client got the answer and has now closed.
                raise
            if error.reason == "HTTP_REQUEST":
                log.info("rejected a request without TLS; %s", _ADVICE)
                self.outgoing.write(_ANSWER)
                self.outgoing = None
                # The event loop then sends what was written and waits for the client to close.
                raise ssl.SSLWantReadError from error
            reason = (error.reason or str(error)).lower().replace("_", " ")
            log.info("the TLS handshake with a client failed: %s", reason)
            raise


ServerContext.sslobject_class = _Connection
