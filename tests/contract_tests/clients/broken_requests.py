"""Mutants of C-REQ: what they send is not what the contract asks for."""

from urllib.parse import quote, urlencode

import httpx

from tests.contract_tests.clients.good import Client, Json


class SendsTheKeyWithoutAScheme(Client):
    breaks = "C-REQ-001"

    def headers(self) -> dict[str, str]:
        return super().headers() | {"Authorization": self.trial.key}


class SendsXApiKey(Client):
    breaks = "C-REQ-001"

    def headers(self) -> dict[str, str]:
        return {"X-Api-Key": self.trial.key, "User-Agent": "mutant/1"}


class SendsTextPlain(Client):
    breaks = "C-REQ-002"

    def submit_request(self) -> httpx.Request:
        request = super().submit_request()
        request.headers["content-type"] = "text/plain"
        return request


class SaysNoContentType(Client):
    breaks = "C-REQ-002"

    def submit_request(self) -> httpx.Request:
        request = super().submit_request()
        del request.headers["content-type"]
        return request


class AsksForAnUnknownRatio(Client):
    breaks = "C-REQ-003"

    def wish(self) -> Json:
        return super().wish() | {"aspect_ratio": "16:9"}


class SendsThePromptAtTheTop(Client):
    breaks = "C-REQ-003"

    def body(self) -> Json:
        return {"input": {}}


class SendsAForm(Client):
    breaks = "C-REQ-003"

    def submit_request(self) -> httpx.Request:
        request = super().submit_request()
        return self.http.build_request(
            "POST",
            request.url,
            headers=self.headers() | {"Content-Type": "application/json"},
            content=urlencode({"prompt": self.trial.prompt}),
        )


class SaysWebhookForCallbackUrl(Client):
    breaks = "C-REQ-004"

    def body(self) -> Json:
        return super().body() | {"webhook": "https://example.com/done"}


class SaysNVariantsForNumImages(Client):
    breaks = "C-REQ-004"

    def wish(self) -> Json:
        wish = super().wish()
        return wish | {"nVariants": wish.pop("num_images")}


class SendsAGeneralMode(Client):
    breaks = "C-REQ-005"

    def wish(self) -> Json:
        return super().wish() | {"mode": "text-to-image"}


class PastesTaskIds(Client):
    breaks = "C-REQ-006"

    def status_request(self, task_id: str) -> httpx.Request:
        path = super().status_request("").url.path
        return self.http.build_request("GET", f"{path}?taskId={task_id}", headers=self.headers())


class EscapesTaskIdsTwice(Client):
    breaks = "C-REQ-006"

    def status_request(self, task_id: str) -> httpx.Request:
        return super().status_request(quote(task_id, safe=""))


class SendsNoUserAgent(Client):
    breaks = "C-REQ-007"

    def submit_request(self) -> httpx.Request:
        request = super().submit_request()
        del request.headers["user-agent"]
        return request


MUTANTS: tuple[type[Client], ...] = (
    SendsTheKeyWithoutAScheme, SendsXApiKey, SendsTextPlain,
    SaysNoContentType, AsksForAnUnknownRatio, SendsThePromptAtTheTop, SendsAForm,
    SaysWebhookForCallbackUrl, SaysNVariantsForNumImages, SendsAGeneralMode, PastesTaskIds,
    EscapesTaskIdsTwice, SendsNoUserAgent,
)  # fmt: skip
