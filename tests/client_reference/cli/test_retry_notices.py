"""A retry is announced with its reason, its pause and its number."""

import json
import re

import httpx

from tests.client_reference.cli.conftest import Call, Command, Mock, scripted
from tests.client_reference.cli.loopback import nobody
from tests.client_reference.cli.processes import running
from tests.client_reference.scripted import Service, breaks, says


def refusing_once() -> Service:
    return Service(balance=[breaks(httpx.ConnectError, "no route"), says(200, 1)])


def test_retry_after_a_failed_connection_names_address_pause_and_attempt(call: Call) -> None:
    ended = call("balance", client=scripted(refusing_once()))

    assert (ended.status, ended.output) == (0, "1\n")
    assert re.fullmatch(
        r"cannot connect to http://service\.test: no route; retrying in 1(\.\d)? s \(2 of 5\)",
        ended.error,
    )


def test_retry_event_has_pause_and_attempt(call: Call) -> None:
    ended = call("balance", "--json", client=scripted(refusing_once()))

    event = json.loads(ended.output.splitlines()[0])
    assert (event["event"], event["number"], event["of"]) == ("retry", 2, 5)
    assert 1 <= event["pause_s"] <= 1.5


def test_absent_server_is_named_before_the_first_retry() -> None:
    url = nobody()
    with running("balance", APIXO_API_KEY="sk", APIXO_BASE_URL=url) as asking:
        said = asking.read_until("retrying in")

    assert said.startswith(f"cannot connect to {url}: Connection refused; retrying in")


def test_https_address_of_a_plain_server_is_exit_3_at_once(
    command_here: Command, mock: Mock
) -> None:
    url = mock.server.url.replace("http:", "https:")

    ended = command_here("generate", "a fox", APIXO_API_KEY="sk", APIXO_BASE_URL=url)

    assert (ended.status, ended.output) == (3, "")
    assert ended.error.startswith(f"Error: cannot connect to {url}: the server does not use TLS")
    assert "use http://" in ended.error
