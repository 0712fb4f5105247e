"""Mutants of C-REQ: they send invalid requests."""

from urllib.parse import quote, urlencode

import httpx

from tests.contract_tests.clients.good import Client, Json, Listener


class SendsTheKeyWithoutAScheme(Client):
    violates = "C-REQ-001"

    def headers(self) -> dict[str, str]:
        return super().headers() | {"Authorization": self.trial.key}


class SendsXApiKey(Client):
    violates = "C-REQ-001"

    def headers(self) -> dict[str, str]:
        return {"X-Api-Key": self.trial.key, "User-Agent": "mutant/1"}


class SendsTextPlain(Client):
    violates = "C-REQ-002"

    def submit_request(self) -> httpx.Request:
        request = super().submit_request()
        request.headers["content-type"] = "text/plain"
        return request


class SendsNoContentType(Client):
    violates = "C-REQ-002"

    def submit_request(self) -> httpx.Request:
        request = super().submit_request()
        del request.headers["content-type"]
        return request


class SendsAnUnknownRatio(Client):
    violates = "C-REQ-003"

    def task_input(self) -> Json:
        return super().task_input() | {"aspect_ratio": "7:5"}


class SendsThePromptAtTheTop(Client):
    violates = "C-REQ-003"

    def body(self) -> Json:
        return {"input": {}}


class SendsAForm(Client):
    violates = "C-REQ-003"

    def submit_request(self) -> httpx.Request:
        request = super().submit_request()
        return self.http.build_request(
            "POST",
            request.url,
            headers=self.headers() | {"Content-Type": "application/json"},
            content=urlencode({"prompt": self.trial.prompt}),
        )


class SendsWebhookInsteadOfCallbackUrl(Client):
    violates = "C-REQ-004"

    def body(self) -> Json:
        return super().body() | {"webhook": "https://example.com/done"}


class SendsNVariantsInsteadOfNumImages(Client):
    violates = "C-REQ-004"

    def task_input(self) -> Json:
        wish = super().task_input()
        return wish | {"nVariants": wish.pop("num_images")}


class SendsAGeneralMode(Client):
    violates = "C-REQ-005"

    def task_input(self) -> Json:
        return super().task_input() | {"mode": "text-to-image"}


class SendsUnescapedTaskIds(Client):
    violates = "C-REQ-006"

    def status_request(self, task_id: str) -> httpx.Request:
        path = super().status_request("").url.path
        return self.http.build_request("GET", f"{path}?taskId={task_id}", headers=self.headers())


class EscapesTaskIdsTwice(Client):
    violates = "C-REQ-006"

    def status_request(self, task_id: str) -> httpx.Request:
        return super().status_request(quote(task_id, safe=""))


class SendsNoUserAgent(Client):
    violates = "C-REQ-007"

    def submit_request(self) -> httpx.Request:
        request = super().submit_request()
        del request.headers["user-agent"]
        return request


class SendsCallbackUrlForATaskThatItPolls(Client):
    violates = "C-REQ-008"

    def body(self) -> Json:
        return super().body() | {"callback_url": "https://example.com/done"}


class AwaitsACallbackWithoutRequestType(Listener):
    violates = "C-REQ-008"
    deadline_s = 30.0

    def body(self) -> Json:
        body = super().body()
        del body["request_type"]
        return body


class TruncatesThePrompt(Client):
    violates = "C-REQ-009"

    def task_input(self) -> Json:
        return super().task_input() | {"prompt": self.trial.prompt[:1_000]}


class DamagesTheEncodingOfThePrompt(Client):
    violates = "C-REQ-009"

    def task_input(self) -> Json:
        return super().task_input() | {"prompt": self.trial.prompt.encode().decode("latin-1")}


class RequestsTheStatusWithPost(Client):
    violates = "C-REQ-010"

    def status_request(self, task_id: str) -> httpx.Request:
        request = super().status_request(task_id)
        request.method = "POST"
        return request


class SendsARatioOfOtherModels(Client):
    violates = "C-REQ-004"

    def task_input(self) -> Json:
        return super().task_input() | {"aspect_ratio": "16:9"}


MUTANTS: tuple[type[Client], ...] = (
    SendsTheKeyWithoutAScheme, SendsXApiKey, SendsTextPlain,
    SendsNoContentType, SendsAnUnknownRatio, SendsThePromptAtTheTop, SendsAForm,
    SendsWebhookInsteadOfCallbackUrl, SendsNVariantsInsteadOfNumImages, SendsAGeneralMode,
    SendsUnescapedTaskIds, EscapesTaskIdsTwice, SendsNoUserAgent,
    SendsCallbackUrlForATaskThatItPolls, AwaitsACallbackWithoutRequestType, TruncatesThePrompt,
    DamagesTheEncodingOfThePrompt, RequestsTheStatusWithPost,
    SendsARatioOfOtherModels,
)  # fmt: skip
