"""Clients of the tests as functions that can be explored."""

from collections.abc import Callable, Iterable

import httpx

from contract_tests.client.driving.trials import Trial
from mock_server.testing.job import Job
from tests.contract_tests.clients.driving import callback_server
from tests.contract_tests.clients.good import Client, Listener


def explorable(kind: type[Client]) -> Callable[[Job], list[bytes]]:
    """Return a function that runs such a client and returns its pictures."""

    def run(job: Job) -> list[bytes]:
        trial = Trial(case_id="", base_url=job.base_url, key=job.api_key, prompt=job.prompt)
        transport = httpx.HTTPTransport(verify=False)
        with httpx.Client(base_url=job.base_url, transport=transport, timeout=30) as http:
            client = kind(trial, http, job.sleep)
            pictures = _pictures_of(client)
            try:
                if isinstance(client, Listener):
                    with callback_server(client.receive) as url:
                        client.callback_url = url
                        client.run()
                else:
                    client.run()
            finally:
                print("\n".join(client.output))  # noqa: T201  # The user of a client sees it.
            return pictures

    return run


def _pictures_of(client: Client) -> list[bytes]:
    """Return a list that will hold what the client downloads."""
    pictures: list[bytes] = []
    download_all = client.download_all

    def keep(addresses: Iterable[str]) -> None:
        download = client.download

        def kept(address: str) -> bytes:
            content = download(address)
            pictures.append(content)
            return content

        client.download = kept  # type: ignore[method-assign]  # Only this instance keeps its pictures.
        try:
            download_all(addresses)
        finally:
            client.download = download  # type: ignore[method-assign]  # as above

    client.download_all = keep  # type: ignore[method-assign]  # as above
    return pictures
