"""A burst sends the same request many times, as fast as the server allows."""

from contract_tests.contract.certificates import trusted_certificates
from contract_tests.contract.provider import BALANCE
from contract_tests.server.http_client import HttpClient
from contract_tests.server.time_limit import TimeLimit
from tests.contract_tests.mutants.harness import Mutant, answers, serving
from tests.contract_tests.mutants.legal.variation import adding

CLOSING = Mutant(name="closing", clause="", make=answers(adding((b"connection", b"close"))))


def test_a_burst_continues_over_new_connections_if_the_server_closes_each() -> None:
    with serving(CLOSING) as url, HttpClient(trusted_certificates()) as client:
        headers = (("Authorization", "Bearer any"),)
        statuses, last = client.burst("GET", url + BALANCE, headers, b"", 5, TimeLimit())

    assert (statuses, last.error) == ([200] * 5, None)
