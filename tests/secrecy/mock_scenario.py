"""Everything that a client, its developer and an administrator do with a mock server.

The API key is in every text that they send.
"""

import re
from threading import Thread
from urllib.parse import quote

import httpx

from tests.mock_server.e2e.api import BALANCE, STATUS, SUBMIT, Api, Json
from tests.patience import PATIENCE_S
from tests.secrecy.key_search import forms_of
from tests.secrecy.outputs import Outputs

ADMIN_TOKEN = "the-token-of-an-administrator"
IMAGE = "a.png"
MISSING = "missing.png"


class MockScenario:
    """The use of one key at one server, which must have the admin token of this module.

    `kept` is in the texts that a store keeps as they are: prompts, addresses of callbacks, and
    texts of rules. `receiver` is the base URL of a server that accepts callbacks and has IMAGE.
    """

    def __init__(
        self, http: httpx.Client, outputs: Outputs, key: str, kept: str, receiver: str
    ) -> None:
        self._http = http
        self._outputs = outputs
        self._api = Api(http, key)
        self._key = key
        self._kept = kept
        self._receiver = receiver
        self._stream = Thread(target=self._follow_events)

    def play(self) -> None:
        """Do everything."""
        self._api.balance()
        self._stream.start()
        self._send_odd_requests()
        self._set_rules()
        task_id = self._generate()
        self._steer(task_id)
        self._look_at_everything(task_id)
        self._use_the_dashboard(task_id)
        self._move_to_another_sandbox()
        self._act_as_administrator()

    def delete(self) -> None:
        """Delete what can be deleted."""
        for path in ("next", "rules", "sandbox", "sandbox?remove=true"):
            assert self._api.control("DELETE", path).is_success
        self._stream.join(PATIENCE_S)
        assert not self._stream.is_alive()
        deleted = self._http.delete("/_mock/sandboxes", headers=_bearer(ADMIN_TOKEN))
        assert deleted.status_code == 204

    def leave_a_callback(self) -> None:
        """Submit a task whose callback is pending when the server stops."""
        self._try(f"{self._receiver}/?k={quote(self._kept)}")

    def _follow_events(self) -> None:
        """Read all events until the sandbox is removed."""
        headers = _bearer(self._key) | {"Last-Event-ID": "0"}
        url = f"{self._http.base_url}/_mock/events"
        with httpx.stream("GET", url, headers=headers, timeout=PATIENCE_S, trust_env=False) as all_:
            self._outputs.add("GET /_mock/events", all_.read())
        self._outputs.requests.add(("GET", "/_mock/events", ""))

    def _send_odd_requests(self) -> None:
        """Send the key where it does not belong."""
        api, key = self._api, self._key
        for form in forms_of(key).values():
            address = quote(form, safe="%+")  # A form that is percent-encoded twice is not found.
            api.send("GET", f"{BALANCE}?key={address}&{address}", headers={"X-Trace": form})
            api.send("POST", SUBMIT, body=self._order() | {"provider": form})
            for path in (
                f"/{address}",
                f"/_mock/{address}",
                f"/_mock/static/{address}",
                f"/_mock/tasks/{address}",
                f"/results/{address}/1-3.png",
                f"/api/v1/generateTask/{address}",
                f"{STATUS}?taskId={address}",
            ):
                api.send("GET", path)
                api.send("PUT", path)
        for header in ("X-Api-Key", "Cookie", "Referer", "User-Agent", "Content-Type"):
            api.send("POST", SUBMIT, content=b"{}", headers={header: key})
        word = _word(key)
        api.send("GET", BALANCE, headers={f"X-{_host_name(key)}": "1"})
        self._http.get(f"{BALANCE}?taskId={quote(key)}")  # Without the header.
        for authorization in (f"Basic {key}", f"Bearer sk-invalid-{key}", f"Bearer {key * 30}"):
            self._http.get(BALANCE, headers={"Authorization": authorization})
        self._http.get(BALANCE, headers={"Origin": f"https://{word}.test"})
        api.send("POST", SUBMIT, content=key.encode())
        api.send("POST", SUBMIT, body=self._order() | {key: key})
        api.send("POST", SUBMIT, body=self._order(image_urls=[f"https://{word}.invalid/a.png"]))

    def _set_rules(self) -> None:
        api, kept = self._api, self._kept
        about_prompt = {"match": {"prompt": kept}, "apply": {"callback": "garbage"}, "id": "first"}
        about_header = {"header": {"Authorization": f"Bearer {self._key}", "X-Key": self._key}}
        api.told("PUT", "rules", {"rules": [about_prompt]})
        pattern = kept[:500].replace("\\", ".").replace("+", ".")
        api.told("POST", "rules", {"match": {"prompt_regex": pattern}, "apply": {"latency": 0}})
        api.told("POST", "next", {"match": about_header, "apply": {"refuse": {"status": 503}}})
        assert api.send("GET", BALANCE, headers={"X-Key": self._key}).status_code == 503
        fails = {"match": {"prompt": kept}, "apply": {"outcome": {"fail": "NSFW"}}, "count": 2}
        api.told("POST", "next", fails)
        for path in ("rules", "next"):
            api.told("GET", path)
            api.control("PUT", path, {"rules": [{"match": {"prompt": kept, self._key: 1}}]})
            api.control("POST", path, {"match": {"prompt_regex": f"({self._key}"}, "apply": {}})
        api.told("PATCH", "sandbox", {"image_urls": "fetch"})
        api.control("PATCH", "sandbox", {self._key: 1, "profile": self._key})

    def _generate(self) -> str:
        """Generate pictures, with reference images, callbacks that arrive, and some that fail."""
        address = f"?k={quote(self._kept, safe='')}"
        image = f"{self._receiver}/{IMAGE}{address}"
        self._api.try_submit(self._order(image_urls=[image]))
        self._api.try_submit(self._order(image_urls=[image.replace(IMAGE, MISSING)]))
        host = self._receiver.removeprefix("http://")
        for url in (
            f"{self._receiver}/{address}",
            f"http://me:{quote(self._kept[:200], safe='')}@{host}/{address}",
            f"http://127.0.0.1:9/{address}",
            *([f"http://{_host_name(self._kept)}.localhost:9/{address}"] * 3),
            f"http://169.254.169.254/{address}",
        ):
            self._try(url)
        task_id = self._api.submit(self._kept)
        self._api.status(task_id)
        self._api.advance("30m")
        (url,) = self._api.result_urls(task_id)
        self._http.get(f"{url}?key={quote(self._key)}", headers={"X-Key": self._key})
        return task_id

    def _steer(self, task_id: str) -> None:
        api, key = self._api, self._key
        api.told("GET", "clock")
        api.told("PUT", "clock", {"mode": "manual"})
        api.control("PUT", "clock", {"mode": key})
        api.control("POST", "clock/advance", {"seconds": key})
        other = api.submit(self._kept)
        api.finish(other, state="failed", failMsg=self._kept[:500], failCode="NSFW")
        api.control("POST", f"tasks/{task_id}/finish", {"state": key})
        api.told("POST", "journal/count", {"operation": "submit"})
        api.control("POST", "journal/count", {"operation": key})
        api.control("GET", f"journal?operation={quote(key)}")

    def _look_at_everything(self, task_id: str) -> None:
        for path in (
            *("sandbox", "tasks", f"tasks/{task_id}", f"tasks/{task_id}/wait?state=success"),
            *("callbacks", "journal", "journal?format=har", "journal?format=json"),
            *("journal/wait?count=1", "audit", "audit?format=json", "audit?format=html"),
            *("audit?format=junit", "health", "ready", "info", "metrics", "openapi.json"),
        ):
            assert self._api.control("GET", path).status_code == 200, path
        for path in (f"tasks/{task_id}/wait?state=pending", "journal/wait?count=9999"):
            assert self._api.control("GET", f"{path}&timeout=1ms").status_code == 408
        for path in ("/", "/openapi.json"):
            self._http.get(path, headers={"Accept": "text/html"}).raise_for_status()

    def _use_the_dashboard(self, task_id: str) -> None:
        """Sign in with the key, and look at the pages without it."""
        sandbox_id = self._api.told("GET", "sandbox")["id"]
        for form in ({"key": f"sk-invalid{self._key}"}, {"token": self._key}, {"key": self._key}):
            self._http.post("/_mock/session", data=form)
        for path in ("", "/", "/session", "/static/dashboard.js"):
            assert self._http.get(f"/_mock{path}").status_code in {200, 308}
        named = {"Mock-Sandbox": sandbox_id}
        for path in ("tasks", "journal", "rules", "audit/page", f"tasks/{task_id}/images/1"):
            self._http.get(f"/_mock/{path}", headers=named).raise_for_status()
        self._http.post("/_mock/submit", json=self._order(), headers=named).raise_for_status()
        self._http.cookies.clear()

    def _move_to_another_sandbox(self) -> None:
        """Restore a snapshot under another key, whose owner sees what is in it."""
        snapshot = self._api.told("GET", "sandbox/snapshot")
        other = Api(self._http, f"another-{len(self._key)}")
        assert other.control("PUT", "sandbox/snapshot", snapshot).status_code == 204
        for path in ("tasks", "callbacks", "journal", "rules", "next", "sandbox/snapshot"):
            other.told("GET", path)
        other.control("DELETE", "sandbox?remove=true")
        assert self._api.control("PUT", "sandbox/snapshot", snapshot).status_code == 204
        invalid = snapshot | {self._key: 1, "seed": self._key}
        assert self._api.control("PUT", "sandbox/snapshot", invalid).status_code == 400

    def _act_as_administrator(self) -> None:
        sandbox_id = self._api.told("GET", "sandbox")["id"]
        self._http.get("/_mock/sandboxes")
        self._http.get("/_mock/sandboxes", headers=_bearer(ADMIN_TOKEN)).raise_for_status()
        for path, form in (
            ("session", {"token": f"{ADMIN_TOKEN}-{self._key}"}),
            ("session", {"token": ADMIN_TOKEN}),
            ("find", {"key": f"sk-invalid{self._key}"}),
            ("find", {"key": self._key}),
        ):
            self._http.post(f"/_mock/{path}", data=form)
        self._http.get("/_mock/?all=1").raise_for_status()
        self._http.get(f"/_mock/?sandbox={sandbox_id}").raise_for_status()
        named = {"Mock-Sandbox": sandbox_id}
        for path in ("tasks", "journal", "callbacks", "rules", "sandbox/snapshot"):
            self._http.get(f"/_mock/{path}", headers=named).raise_for_status()
        self._http.cookies.clear()

    def _try(self, callback_url: str) -> None:
        wanted = {"request_type": "callback", "callback_url": callback_url}
        self._api.try_submit(self._order() | wanted)

    def _order(self, **given: object) -> Json:
        return {"input": {"prompt": self._kept, **given}}


def _bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def _word(text: str) -> str:
    """Return the letters and digits of a text, for the name of a host or a header."""
    return "".join(filter(str.isalnum, text))


def _host_name(text: str) -> str:
    """Return the first word of a text without what is invalid in names of hosts and headers."""
    return re.sub("[^A-Za-z0-9-]", "", text.partition(" ")[0])
