"""Mutants of C-RES, C-OUT and C-KEY: they lose pictures, store wrong files, or tell their key."""

from collections.abc import Iterable

import httpx

from tests.contract_tests.clients.good import Client, Failure, Json, Listener


class FollowsOnlyTheLastTask(Client):
    violates = "C-RES-006"

    def submit(self) -> str:
        super().submit()
        self.output.append("another one")
        return super().submit()

    def task_input(self) -> Json:
        return super().task_input() | {"prompt": f"{self.trial.prompt}, {len(self.output)}"}


class SubmitsAndReportsSuccess(Client):
    """Violates other rules nowhere, because it does nothing else."""

    violates = "C-RES-006"
    only_in = ("A-REQ-001",)

    def run(self) -> None:
        self.submit()


class KeepsWhatItGotLast(Client):
    violates = "C-RES-007"
    stores_files = False
    last = b""

    def is_whole(self, answer: httpx.Response) -> bool:
        self.last = answer.content
        return super().is_whole(answer)

    def download(self, address: str) -> bytes:
        try:
            return super().download(address)
        except Failure:
            return self.last


class DownloadsWithoutRedirects(Client):
    violates = "C-RES-008"

    def fetch(self, address: str) -> httpx.Response:
        return self.http.send(self.download_request(address), follow_redirects=False)


class SendsTheKeyAlongARedirect(Client):
    violates = "C-RES-005"
    only_in = ("A-REQ-001", "A-ROB-005", "A-RES-003")

    def fetch(self, address: str) -> httpx.Response:
        answer = self.http.send(self.download_request(address), follow_redirects=False)
        if answer.next_request is None:
            return answer
        return self.http.get(answer.next_request.url, headers=self.headers())


class StoresAllResultsUnderOneName(Client):
    violates = "C-OUT-001"

    def file_name(self, number: int) -> str:
        return "picture.png"


class ForgetsToStoreItsResults(Client):
    violates = "C-OUT-001"

    def download_all(self, addresses: Iterable[str]) -> None:
        super().download_all(addresses)
        self.files.clear()


class KeepsTheFileOfAFailedDownload(Client):
    """Retries under another name."""

    violates = "C-OUT-002"

    def fetch(self, address: str) -> httpx.Response:
        answer = super().fetch(address)
        if not self.is_whole(answer):
            self.files[f"picture-{len(self.files)}.png"] = answer.content
        return answer

    def file_name(self, number: int) -> str:
        return f"whole-{number}.png"


class SendsTheKeyInTheQuery(Client):
    violates = "C-KEY-001"

    def status_request(self, task_id: str) -> httpx.Request:
        request = super().status_request(task_id)
        request.url = request.url.copy_merge_params({"api_key": self.trial.key})
        return request


class SendsTheKeyInAHeader(Client):
    violates = "C-KEY-001"

    def headers(self) -> dict[str, str]:
        return super().headers() | {"X-Client-Id": f"painter {self.trial.key}"}


class PutsTheKeyIntoItsCallbackUrl(Listener):
    violates = "C-KEY-001"

    def body(self) -> Json:
        body = super().body()
        return body | {"callback_url": f"{body['callback_url']}?token={self.trial.key}"}


class PrintsItsKey(Client):
    violates = "C-KEY-002"

    def submit(self) -> str:
        self.output.append(f"request headers: {self.headers()}")
        return super().submit()


class StoresItsKey(Client):
    violates = "C-KEY-002"

    def finish(self, data: Json) -> None:
        self.files["settings.json"] = f'{{"api_key": "{self.trial.key}"}}'.encode()
        super().finish(data)


MUTANTS: tuple[type[Client], ...] = (
    FollowsOnlyTheLastTask, SubmitsAndReportsSuccess, KeepsWhatItGotLast,
    DownloadsWithoutRedirects, SendsTheKeyAlongARedirect, StoresAllResultsUnderOneName,
    ForgetsToStoreItsResults, KeepsTheFileOfAFailedDownload, SendsTheKeyInTheQuery,
    SendsTheKeyInAHeader, PutsTheKeyIntoItsCallbackUrl, PrintsItsKey, StoresItsKey,
)  # fmt: skip
