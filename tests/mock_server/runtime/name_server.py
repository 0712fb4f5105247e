"""A DNS server on loopback that answers queries for some names, and ignores others."""

import socket
import struct
from collections.abc import Mapping
from threading import Thread

_TYPE_A = 1
_NAME_UNKNOWN = 3


class NameServer:
    """Answers names with addresses; ignores names that begin with `silent`; NXDOMAIN for others."""

    def __init__(
        self, addresses: Mapping[str, str], *, silent: str = "dead", port: int = 0
    ) -> None:
        self.asked: list[str] = []
        self._addresses = addresses
        self._silent = silent
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", port))
        self.port: int = self._socket.getsockname()[1]
        Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                query, client = self._socket.recvfrom(4096)
            except OSError:
                return
            name, end = _name(query)
            self.asked.append(name)
            if not name.startswith(self._silent):
                self._socket.sendto(self._answer(query[:end], name), client)

    def _answer(self, query: bytes, name: str) -> bytes:
        address = self._addresses.get(name)
        kind = struct.unpack("!H", query[-4:-2])[0]
        records = b""
        if address is not None and kind == _TYPE_A:
            records = struct.pack("!HHHIH", 0xC00C, _TYPE_A, 1, 0, 4) + socket.inet_aton(address)
        flags = 0x8180 | (_NAME_UNKNOWN if address is None else 0)
        counts = struct.pack("!HHHHH", flags, 1, 1 if records else 0, 0, 0)
        return query[:2] + counts + query[12:] + records


def _name(query: bytes) -> tuple[str, int]:
    """Return the name in the question, and where the question ends."""
    labels = []
    at = 12
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode())
        at += 1 + query[at]
    return ".".join(labels).lower(), at + 5
