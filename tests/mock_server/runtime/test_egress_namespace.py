"""No forbidden address is ever connected to, in a network where all of them answer.

The fixture runs this file as a program in its own network namespace, where a trap listens on every
address. Each address is tried three times: by the sender, by the image checker, and by a bare
httpx client, which proves that the trap notices a connection.
"""

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

import httpx
import msgspec
import pytest

from mock_server.runtime.egress import Egress
from mock_server.runtime.image_checker import HttpImageChecker
from mock_server.runtime.sender import HttpSender
from tests.mock_server.runtime.own_network import (
    begin_network,
    replace_file,
    run_in_own_network,
)
from tests.patience import PATIENCE_S

ROOT = Path(__file__).parents[3]
PORT = 8080

TRAPS = [
    "127.0.0.1",
    "169.254.169.254",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "10.1.2.3",
    "8.8.8.8",
    "::1",
    "fd00:ec2::254",
    "fd12::1",
    "fec0::1",
    "::a9fe:a9fe",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b::808:808",
    "2002:a9fe:a9fe::1",
    "2606:4700::1111",
]
HOSTS = """\
127.0.0.1 localhost
169.254.169.254 metadata.test
fd00:ec2::254 metadata6.test
10.1.2.3 intranet.test
8.8.8.8 outside.test
169.254.169.254 mixed.test
10.1.2.3 mixed.test
"""


class Case(msgspec.Struct, frozen=True):
    """An address to try in a mode, and the trap that must notice it or must not."""

    host: str
    trap: str
    mode: Egress
    path: str = "/"

    @property
    def url(self) -> str:
        return f"http://{self.host}:{PORT}{self.path}"


class Hits(msgspec.Struct, frozen=True):
    """How often each client sprang the trap; `is_set` says that there was one."""

    sender: int
    checker: int
    bare: int
    is_set: bool


ALLOWED = [
    Case("127.0.0.1", "127.0.0.1", Egress.LOOPBACK),
    Case("[::1]", "::1", Egress.LOOPBACK),
    Case("[::ffff:127.0.0.1]", "127.0.0.1", Egress.LOOPBACK),
    Case("127.0.0.1", "127.0.0.1", Egress.PRIVATE),
    Case("10.1.2.3", "10.1.2.3", Egress.PRIVATE),
    Case("intranet.test", "10.1.2.3", Egress.PRIVATE),
    Case("[fd12::1]", "fd12::1", Egress.PRIVATE),
    Case("8.8.8.8", "8.8.8.8", Egress.PUBLIC),
    Case("134744072", "8.8.8.8", Egress.PUBLIC),
    Case("outside.test", "8.8.8.8", Egress.PUBLIC),
    Case("[2606:4700::1111]", "2606:4700::1111", Egress.PUBLIC),
    Case("[64:ff9b::8.8.8.8]", "64:ff9b::808:808", Egress.PUBLIC),
]
TOO_FAR = [
    Case("10.1.2.3", "10.1.2.3", Egress.LOOPBACK),
    Case("167838211", "10.1.2.3", Egress.LOOPBACK),
    Case("intranet.test", "10.1.2.3", Egress.LOOPBACK),
    Case("[fd12::1]", "fd12::1", Egress.LOOPBACK),
    Case("8.8.8.8", "8.8.8.8", Egress.PRIVATE),
    Case("0x8.0x8.2056", "8.8.8.8", Egress.PRIVATE),
    Case("[::ffff:8.8.8.8]", "8.8.8.8", Egress.PRIVATE),
    Case("outside.test", "8.8.8.8", Egress.PRIVATE),
    Case("[2606:4700::1111]", "2606:4700::1111", Egress.PRIVATE),
    Case("[64:ff9b::8.8.8.8]", "64:ff9b::808:808", Egress.PRIVATE),
]
NEVER = [
    Case(host, trap, mode)
    for mode in Egress
    for host, trap in [
        ("169.254.169.254", "169.254.169.254"),
        ("2852039166", "169.254.169.254"),
        ("0251.0376.43518", "169.254.169.254"),
        ("025177524776", "169.254.169.254"),
        ("0xa9.0xfe.0xa9.0xfe", "169.254.169.254"),
        ("0xA9FEA9FE", "169.254.169.254"),
        ("169.254.43518", "169.254.169.254"),
        ("169。254。169。254", "169.254.169.254"),
        ("[::ffff:169.254.169.254]", "169.254.169.254"),
        ("[::ffff:a9fe:a9fe]", "169.254.169.254"),
        ("metadata.test", "169.254.169.254"),
        ("METADATA.test", "169.254.169.254"),
        ("100.100.100.200", "100.100.100.200"),
        ("168.63.129.16", "168.63.129.16"),
        ("192.0.0.192", "192.0.0.192"),
        ("0.0.0.0", "127.0.0.1"),
        ("0", "127.0.0.1"),
        ("[::]", "::1"),
        ("[fd00:ec2::254]", "fd00:ec2::254"),
        ("metadata6.test", "fd00:ec2::254"),
        ("[fec0::1]", "fec0::1"),
        ("[::169.254.169.254]", "::a9fe:a9fe"),
        ("[64:ff9b::169.254.169.254]", "64:ff9b::a9fe:a9fe"),
        ("[2002:a9fe:a9fe::1]", "2002:a9fe:a9fe::1"),
    ]
]
REDIRECTED = [
    Case(host, "169.254.169.254", Egress.PRIVATE, f"/to/{target}")
    for host in ["127.0.0.1", "intranet.test"]
    for target in ["169.254.169.254", "2852039166", "[::ffff:a9fe:a9fe]", "metadata.test"]
]
# The bare client refuses the first by itself, and takes the friendly address of the last.
UNPROVEN = [
    Case("0251.0376.0251.0376", "169.254.169.254", Egress.PUBLIC),
    Case("mixed.test", "169.254.169.254", Egress.PRIVATE),
]
FORBIDDEN = [*TOO_FAR, *NEVER, *REDIRECTED]
CASES = [*ALLOWED, *FORBIDDEN, *UNPROVEN]


def case_id(case: Case) -> str:
    return f"{case.mode} {case.host}{case.path}".rstrip("/")


@pytest.fixture(scope="module")
def trial() -> Mapping[str, Hits]:
    """Run all cases in a network namespace; give the hits of each case by its id."""
    return msgspec.json.decode(run_in_own_network(__file__), type=dict[str, Hits])


@pytest.mark.parametrize("case", ALLOWED, ids=case_id)
def test_an_allowed_address_is_connected_to_once(case: Case, trial: Mapping[str, Hits]) -> None:
    hits = _hits(case, trial)

    assert (hits.sender, hits.checker) == (1, 1)


@pytest.mark.parametrize("case", [*FORBIDDEN, *UNPROVEN], ids=case_id)
def test_a_forbidden_address_is_never_connected_to(case: Case, trial: Mapping[str, Hits]) -> None:
    hits = _hits(case, trial)

    assert (hits.sender, hits.checker) == (0, 0)


@pytest.mark.parametrize("case", FORBIDDEN, ids=case_id)
def test_a_client_without_the_guard_reaches_the_trap(case: Case, trial: Mapping[str, Hits]) -> None:
    assert _hits(case, trial).bare > 0


def _hits(case: Case, trial: Mapping[str, Hits]) -> Hits:
    hits = trial[case_id(case)]
    if not hits.is_set:
        pytest.skip(f"this machine cannot listen on {case.trap}")
    return hits


class Traps:
    """Listens on every trap address, counts connections and answers HTTP."""

    def __init__(self) -> None:
        self.hits: Counter[str] = Counter()
        self.servers: dict[str, asyncio.Server] = {}

    async def set_up(self) -> None:
        for trap in TRAPS:
            with suppress(OSError):
                spring = partial(self._spring, trap)
                self.servers[trap] = await asyncio.start_server(spring, trap, PORT)

    async def _spring(
        self, trap: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.hits[trap] += 1
        with suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            target = head.split(b" ")[1].decode()
            redirect = f"Location: http://{target.removeprefix('/to/')}:{PORT}/\r\n"
            status = "302 Found\r\n" + redirect if target.startswith("/to/") else "200 OK\r\n"
            answer = f"HTTP/1.1 {status}Connection: close\r\nContent-Length: 0\r\n\r\n"
            writer.write(answer.encode())
            await writer.drain()
        writer.close()


async def _trial() -> dict[str, Hits]:
    traps = Traps()
    await traps.set_up()
    found = {}
    async with httpx.AsyncClient(
        trust_env=False, follow_redirects=True, timeout=PATIENCE_S
    ) as bare:
        for mode in Egress:
            sender = HttpSender(mode, timeout_s=PATIENCE_S)
            checker = HttpImageChecker(mode, lambda _: None)
            for case in [case for case in CASES if case.mode is mode]:
                found[case_id(case)] = await _try(case, traps, sender, checker, bare)
            await sender.aclose()
            await checker.aclose()
    return found


async def _try(
    case: Case, traps: Traps, sender: HttpSender, checker: HttpImageChecker, bare: httpx.AsyncClient
) -> Hits:
    counts = []
    for attempt in (
        sender.post(case.url, b"{}"),
        checker.find_bad_image([case.url]),
        _get(bare, case.url),
    ):
        traps.hits.clear()
        await attempt
        counts.append(traps.hits[case.trap])
    sent, checked, got = counts
    return Hits(sent, checked, got, case.trap in traps.servers)


async def _get(client: httpx.AsyncClient, url: str) -> None:
    with suppress(httpx.HTTPError, httpx.InvalidURL):
        await client.get(url)


def _lay_network() -> None:
    """Give every trap address to this namespace, and the test names to its resolver."""
    begin_network()
    for trap in TRAPS:
        command = (
            f"ip addr add {trap}/128 dev lo nodad" if ":" in trap else f"ip addr add {trap} dev lo"
        )
        subprocess.run(command.split(), check=False, capture_output=True)
    replace_file("/etc/hosts", HOSTS)


def main() -> None:
    _lay_network()
    sys.stdout.write(msgspec.json.encode(asyncio.run(_trial())).decode())


if __name__ == "__main__":
    main()
