from pathlib import Path

from client_reference import Client
from mock_server.testing.job import Job
from mock_server.testing.sandbox import ApixoMock


def my_client(job: Job) -> list[Path]:
    with Client(job.api_key, job.base_url, sleep=job.sleep, clock=job.clock) as client:
        return client.download(client.generate(job.prompt), job.out_dir)


def test_my_client_survives_everything(apixo_mock: ApixoMock) -> None:
    apixo_mock.explore(my_client, examples=10)
