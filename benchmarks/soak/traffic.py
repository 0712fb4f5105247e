"""The mixed traffic of a soak test: requests of many keys, in random order."""

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from secrets import token_hex
from typing import Any

import msgspec

from benchmarks.requests import MODEL, STATUS_PATH, SUBMIT_PATH
from benchmarks.soak.callback_account import CallbackAccount, ListedDeliveries
from benchmarks.soak.callback_kinds import CallbackKind, ReceiverMode, callback_rules
from benchmarks.soak.client import SoakClient

_WIRE_HEADER = "X-Soak-Wire"
_WIRE_FAULTS = ("close", "reset", "half-body", "hang", "garbage", "empty", "invalid-json")
# Not "probability", with which a rule remembers thousands of subjects: memory would not be flat.
_NTH = "every 50"
_MANUAL_SHARE = 10  # One of so many keys has a manual clock.
_VISITORS = 100  # More than steps in progress.
_SHORT_S = 0.3  # After this time, the client disconnects from waits and streams.
_ALL_RETRIES_S = 900  # A callback is given up after 750 seconds of the clock.
_FAST_CLOCK = {"mode": "real", "speed": 10_000}
_PICTURES = 640  # They fill the cache of the server: 64 MiB, and about 110 kB each.
_PICTURES_OF_TASK = 4
_ENDED_PROMPT = "a red fox [[mock pending=0s processing=0s]]"
# A PNG of one pixel.
_IMAGE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8A"
    "AQUBAScY42YAAAAASUVORK5CYII="
)


_EFFECTS: tuple[tuple[str, dict[str, object]], ...] = (
    ("status", {"refuse": {"status": 503, "retry_after": 1}}),
    ("status", {"meaning": "unknown-state"}),
    ("status", {"latency": "50ms"}),
    ("submit", {"refuse": {"status": 500}}),
    ("status", {"wire": "html-error"}),
    ("submit", {"latency": {"uniform": ["1ms", "100ms"]}}),
    ("submit", {"outcome": {"fail": "NSFW"}}),
    ("balance", {"refuse": {"status": 502}}),
    ("result", {"meaning": "result-truncated"}),
)


def soak_rules() -> list[dict[str, object]]:
    """Return the rules of every sandbox: the faults of callbacks, statuses, submits and results."""
    wire_rules: list[dict[str, object]] = [
        {"match": {"header": {_WIRE_HEADER: fault}}, "apply": {"wire": fault}}
        for fault in _WIRE_FAULTS
    ]
    rare_rules: list[dict[str, object]] = [
        {"match": {"operation": operation, "nth": _NTH}, "apply": effect}
        for operation, effect in _EFFECTS
    ]
    return [*callback_rules(), *wire_rules, *rare_rules]


class Key:
    """An API key with its latest task. The server may have dropped older ones."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.task = ""  # Empty if there is none.


class Traffic:
    """Sends requests of random kinds, one at a time."""

    def __init__(
        self,
        client: SoakClient,
        callbacks: CallbackAccount,
        kinds: Sequence[CallbackKind],
        callback_url: Callable[[CallbackKind, int], str],
        *,
        keys: int,
        seed: int,
    ) -> None:
        self._client = client
        self._callbacks = callbacks
        self._kinds = kinds
        self._callback_url = callback_url
        self._random = Random(seed)
        # A store on disk may contain the keys of earlier runs, so these are new.
        self._prefix = f"soak-{token_hex(4)}"
        self.first_key = Key(f"{self._prefix}-first")  # It is used before the load only.
        self.keys = [Key(f"{self._prefix}-{number}") for number in range(keys)]
        self._manual = deque(self.keys[_MANUAL_SHARE - 1 :: _MANUAL_SHARE])
        self._with_manual_clock = frozenset(self._manual)
        self._visitors = deque(Key(f"{self._prefix}-visitor-{n}") for n in range(_VISITORS))
        self._steps: dict[Callable[[Key], Awaitable[None]], float] = {
            self._submit: 20,
            self._submit_callback: 16,
            self._status: 32,
            self._balance: 4,
            self._result: 3,
            self._submit_image: 1,
            self._submit_invalid: 3,
            self._unknown_task: 2,
            self._broken_response: 3,
            self._tasks: 2,
            self._journal: 2,
            self._leave_wait: 1,
            self._leave_events: 1,
            self._advance: 3,
            self._snapshot: 1,
            self._visit: 1,
            self._next: 1,
            self._audit: 0.3,
            self._server_pages: 0.5,
        }

    async def prepare(self) -> None:
        """Give some keys a manual clock."""
        for key in self._manual:
            await self._control("clock", "PUT", "clock", key, {"mode": "manual"})

    async def step_all(self) -> None:
        """Send a request of each kind, so that the server has imported all modules."""
        for step in self._steps:
            await step(self.first_key)

    async def fill_pictures(self) -> None:
        """Download so many pictures that the server's cache is full."""
        key = Key(f"{self._prefix}-pictures")
        urls: list[str] = []
        while len(urls) < _PICTURES:
            members: dict[str, object] = {"prompt": _ENDED_PROMPT, "num_images": _PICTURES_OF_TASK}
            submitted = await self._submitted("submit with pictures", key, members)
            if submitted is not None:
                urls += _result_urls(await self._read_status("status", key, submitted))
        for url in urls:
            await self._client.send("result", "GET", url, key.text)

    async def step(self) -> None:
        """Send a request of a random kind with a random key."""
        [step] = self._random.choices(list(self._steps), list(self._steps.values()))
        await step(self._random.choice(self.keys))

    async def read_callbacks(self, key: Key) -> None:
        """Compare the deliveries of a key with its callback tasks."""
        response = await self._control("callbacks", "GET", "callbacks", key)
        if response is not None:
            self._callbacks.read(msgspec.convert(response, ListedDeliveries))

    async def hurry(self, key: Key) -> None:
        """Let the clock of a key run fast, so that the retries that are left become due."""
        await self._control("clock", "PUT", "clock", key, _FAST_CLOCK)

    async def _submit(self, key: Key) -> None:
        await self._submitted("submit", key, {})

    async def _submit_image(self, key: Key) -> None:
        await self._submitted(
            "submit with image", key, {"mode": "image-to-image", "image_urls": [_IMAGE]}
        )

    async def _submit_callback(self, key: Key) -> None:
        kind = self._random.choice(self._kinds)
        if key in self._with_manual_clock and kind.mode is ReceiverMode.HANG:
            return  # `advance` would wait for each attempt.
        number = self._callbacks.expect(kind, key.text)
        task_id = await self._submitted(
            "submit with callback",
            key,
            {"prompt": f"{kind.prompt} number {number}"},
            {"request_type": "callback", "callback_url": self._callback_url(kind, number)},
        )
        if task_id is None:
            self._callbacks.reject(number)
        else:
            self._callbacks.accept(number)

    async def _submitted(
        self,
        name: str,
        key: Key,
        input_members: dict[str, object],
        members: dict[str, object] | None = None,
    ) -> str | None:
        """Submit a task and return its id, or None if a fault prevented it."""
        prompt = f"a red fox that crosses a snowy field, no. {self._random.randrange(10**8):08}"
        content = {
            **(members or {}),
            "input": {"mode": MODEL, "prompt": prompt, "aspect_ratio": "3:2", **input_members},
        }
        response = await self._client.send(name, "POST", SUBMIT_PATH, key.text, content=content)
        if response is None:
            return None
        task_id: str = response.json()["data"]["taskId"]
        key.task = task_id
        return task_id

    async def _status(self, key: Key) -> None:
        if key.task:
            await self._read_status("status", key, key.task)

    async def _read_status(self, name: str, key: Key, task_id: str) -> Any:
        path = f"{STATUS_PATH}?taskId={task_id}"
        response = await self._client.send(name, "GET", path, key.text)
        return None if response is None else response.json()["data"]

    async def _unknown_task(self, key: Key) -> None:
        path = f"{STATUS_PATH}?taskId=task_{self._random.randrange(10**9)}"
        await self._client.send("status of an unknown task", "GET", path, key.text, expected=[404])

    async def _balance(self, key: Key) -> None:
        await self._client.send("balance", "GET", "/api/v1/apikeys/current-balance", key.text)

    async def _result(self, key: Key) -> None:
        if not key.task:
            return
        data = await self._read_status("status before a result", key, key.task)
        for url in _result_urls(data):
            await self._client.send("result", "GET", url, key.text)

    async def _submit_invalid(self, key: Key) -> None:
        content = {"input": {"prompt": "", "num_images": self._random.choice([0, 99, "two"])}}
        await self._client.send(
            "invalid submit", "POST", SUBMIT_PATH, key.text, content=content, expected=[400]
        )

    async def _broken_response(self, key: Key) -> None:
        if key.task:
            await self._client.send(
                "status with a wire fault",
                "GET",
                f"{STATUS_PATH}?taskId={key.task}",
                key.text,
                headers={_WIRE_HEADER: self._random.choice(_WIRE_FAULTS)},
                may_break=True,
                timeout_s=_SHORT_S,
            )

    async def _control(
        self, name: str, method: str, call: str, key: Key, content: object = None
    ) -> Any:
        response = await self._client.send(
            name, method, f"/_mock/{call}", key.text, content=content
        )
        return None if response is None else response.json()

    async def _tasks(self, key: Key) -> None:
        await self._control("tasks", "GET", "tasks", key)
        if key.task:
            await self._control("task", "GET", f"tasks/{key.task}", key)

    async def _journal(self, key: Key) -> None:
        await self._control("journal", "GET", "journal?limit=50", key)
        await self._control("journal as HAR", "GET", "journal?limit=50&format=har", key)

    async def _leave_wait(self, key: Key) -> None:
        path = "/_mock/journal/wait?operation=submit&count=1000000&timeout=60"
        await self._leave("wait that the client leaves", path, key)

    async def _leave_events(self, key: Key) -> None:
        await self._leave("event stream that the client leaves", "/_mock/events", key)

    async def _leave(self, name: str, path: str, key: Key) -> None:
        await self._client.send(name, "GET", path, key.text, may_break=True, timeout_s=_SHORT_S)

    async def _advance(self, _: Key) -> None:
        """Advance the next key with a manual clock, until all its callbacks have ended."""
        if not self._manual:
            return
        key = self._manual.popleft()  # No key is advanced twice at the same time.
        try:
            await self._control(
                "advance", "POST", "clock/advance", key, {"seconds": _ALL_RETRIES_S}
            )
        finally:
            self._manual.append(key)

    async def _snapshot(self, key: Key) -> None:
        await self._control("snapshot", "GET", "sandbox/snapshot", key)

    async def _visit(self, _: Key) -> None:
        """Submit with a key, save its sandbox, remove what is in it, restore it and remove it."""
        visitor = self._visitors.popleft()  # No other step uses this key at the same time.
        await self._submit(visitor)
        saved = await self._control("snapshot", "GET", "sandbox/snapshot", visitor)
        await self._remove(visitor)
        await self._client.send(
            "restore",
            "PUT",
            "/_mock/sandbox/snapshot",
            visitor.text,
            content=saved,
            expected=[204],
        )
        await self._status(visitor)
        await self._remove(visitor)
        self._visitors.append(visitor)

    async def _remove(self, key: Key) -> None:
        await self._client.send("remove", "DELETE", "/_mock/sandbox", key.text, expected=[204])

    async def _next(self, key: Key) -> None:
        await self._control(
            "next", "POST", "next", key, {"apply": {"refuse": {"status": 503}}, "count": 1}
        )

    async def _audit(self, key: Key) -> None:
        await self._control("audit", "GET", "audit", key)

    async def _server_pages(self, key: Key) -> None:
        for path in ("/_mock/metrics", "/_mock/sandboxes", "/_mock/", "/_mock/openapi.json"):
            await self._client.send("server pages", "GET", path, key.text)


def _result_urls(data: Any) -> list[str]:
    """Return the addresses of the pictures in the status of a task, none if there are none."""
    if data is None or data.get("state") != "success":
        return []
    urls: list[str] = msgspec.json.decode(data["resultJson"])["resultUrls"]
    return urls
