"""SUB-3 to SUB-5: valid and invalid callback URLs."""

from contract_tests.server.case import Case
from contract_tests.server.cases.callbacks.tasks import accept_any_receiver, callback_body
from contract_tests.server.cases.submit.body import FOX
from contract_tests.server.examples import error_text
from contract_tests.server.interruptions import CaseSkipped
from contract_tests.server.probe import Probe
from contract_tests.server.reading import task_id_of
from contract_tests.server.world import RECEIVER

_NO_PUBLIC_HTTPS = (
    "http://hooks.example.com/apixo",
    "https://127.0.0.1/hook",
    "https://10.0.0.1/hook",
    "https://[::1]/hook",
    "https://localhost/hook",
    "ftp://example.com/hook",
)


def _callback_addresses(probe: Probe) -> None:
    body = {"request_type": "callback", "input": FOX}
    for is_strict, address, status in (
        (False, f"{RECEIVER}/hook", 200),
        (True, f"{RECEIVER}/hook", 400),
        (False, "ftp://example.com/hook", 400),
        (False, "/hook", 400),
        (True, "https://hooks.example.com/apixo", 200),
    ):
        probe.change_settings(strict=is_strict)
        answer = probe.submit(body | {"callback_url": address})
        probe.check(
            "SUB-5",
            answer.status == status,
            expected=f"HTTP {status} for {address} with strict {is_strict}",
            seen=answer,
        )
        if status == 400:
            probe.check(
                "SUB-14",
                "callback_url" in error_text(answer),
                expected="an error that names callback_url",
                seen=answer,
            )
    probe.control("DELETE", "sandbox")  # Otherwise a callback is sent to the public URL.


def _callback(probe: Probe) -> None:
    accept_any_receiver(probe)
    answer = probe.submit(callback_body("hook"))
    for clause in ("SUB-3", "SUB-4"):
        probe.check(
            clause,
            task_id_of(answer) is not None,
            expected="HTTP 200 for a callback task with a URL",
            seen=answer,
        )


def _no_public_https(probe: Probe) -> None:
    if probe.target.has_control:
        probe.change_settings(strict=True)
    elif not probe.target.is_live:
        raise CaseSkipped("a server on loopback may accept any URL")
    for address in _NO_PUBLIC_HTTPS:
        answer = probe.submit({"request_type": "callback", "callback_url": address, "input": FOX})
        probe.check("SUB-5", answer.status == 400, expected=f"HTTP 400 for {address}", seen=answer)


CASES = (
    Case(
        id="S-SUB-028",
        title="callback URLs are accepted or rejected, as configured",
        clauses=("SUB-5", "SUB-14"),
        sends="callback submits to loopback, to other schemes, and to public HTTPS; strict or not",
        expects="loopback is accepted unless strict; a rejection is 400 and names callback_url",
        run=_callback_addresses,
        needs_control=True,
    ),
    Case(
        id="S-SUB-029",
        title="a callback task with a URL is accepted",
        clauses=("SUB-3", "SUB-4"),
        sends="a callback submit to the kit's receiver",
        expects="HTTP 200 with a task id",
        run=_callback,
        images=1,
        worst_images=1,
        needs_receiver=True,
    ),
    Case(
        id="S-SUB-098",
        title="a callback URL that is not public HTTPS is rejected",
        clauses=("SUB-5",),
        sends="callback submits to plain HTTP, loopback, private addresses and other schemes",
        expects="HTTP 400 each time; from a mock, with strict",
        run=_no_public_https,
        worst_images=len(_NO_PUBLIC_HTTPS),
    ),
)
