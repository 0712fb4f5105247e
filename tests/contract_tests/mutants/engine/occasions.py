"""What an engine mutant knows at the moment at which it may do wrong."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import msgspec

from tests.contract_tests.mutants.harness import Asked, Told

Channel = Literal["submit", "status", "callback", "result", "balance", "other"]


@dataclass(kw_only=True)
class SeenTask:
    """A task as its submit and its answers have shown it to the wrapper."""

    id: str
    key: bytes
    body: Mapping[str, Any]
    number: int
    """Its position among the tasks of its key, from 1."""
    follows_rejection: bool
    born: int
    """The number of requests that the server had answered before it."""
    polls: int = 0
    final: Mapping[str, Any] | None = None

    @property
    def input(self) -> Mapping[str, Any]:
        given = self.body.get("input")
        return given if isinstance(given, dict) else {}

    @property
    def images(self) -> int:
        count = self.input.get("num_images")
        return count if isinstance(count, int) else 1

    @property
    def is_callback(self) -> bool:
        return self.body.get("request_type") == "callback"

    @property
    def references(self) -> list[str]:
        given = self.input.get("image_urls")
        return given if isinstance(given, list) else []

    @property
    def fail_code(self) -> object:
        return None if self.final is None else self.final.get("failCode")


@dataclass(kw_only=True)
class SeenKey:
    """The requests of one API key so far."""

    tasks: list[SeenTask] = field(default_factory=list)
    rejected: int = 0
    throttled: int = 0
    last_request: int = 0


@dataclass(kw_only=True)
class Occasion:
    """An answer or a callback that a mutant may change, and what has happened before."""

    memory: "Memory"
    channel: Channel
    key: bytes = b""
    task: SeenTask | None = None
    body: Mapping[str, Any] = field(default_factory=dict)
    """The submit that is answered, or the one that created the task."""
    picture: int = 0
    """The position of the picture that is downloaded, from 0."""
    now_ms: int = 0
    throttled_before: int = 0
    """The number of earlier requests of the key that were answered with 429."""
    attempt: int = 1
    """The number of this attempt to deliver a callback, from 1."""

    @property
    def input(self) -> Mapping[str, Any]:
        given = self.body.get("input")
        return given if isinstance(given, dict) else {}

    @property
    def seen_key(self) -> SeenKey:
        return self.memory.keys.setdefault(self.key, SeenKey())


class Memory:
    """Remembers what a server was asked and what it answered; one for each server."""

    def __init__(self) -> None:
        self.tasks: dict[str, SeenTask] = {}
        self.keys: dict[bytes, SeenKey] = {}
        self.pictures: dict[str, tuple[SeenTask, int]] = {}
        self.notes: dict[str, Any] = {}
        """What an operator has to remember itself, such as the first answer of a kind."""
        self._requests = 0

    def before(self, asked: Asked) -> Occasion:
        """Return the occasion of a submit that is not yet answered."""
        key = asked.header(b"authorization")
        return Occasion(memory=self, channel="submit", key=key, body=submitted(asked))

    def observe(self, asked: Asked, told: Told) -> Occasion:
        """Take note of a true answer and return the occasion that it is."""
        self._requests += 1
        key = asked.header(b"authorization")
        seen = self.keys.setdefault(key, SeenKey())
        seen.last_request = self._requests
        occasion = Occasion(
            memory=self,
            channel=_channel(asked),
            key=key,
            now_ms=_date_ms(told),
            throttled_before=seen.throttled,
        )
        if told.status == 429:
            seen.throttled += 1
        match occasion.channel:
            case "submit":
                self._observe_submit(asked, told, occasion)
            case "status":
                self._observe_status(asked, told, occasion)
            case "result":
                self._observe_result(asked, told, occasion)
            case _:
                self._remember_last(occasion)
        return occasion

    def observe_callback(self, envelope: Mapping[str, Any], attempt: int) -> Occasion:
        data = envelope["data"]
        task = self.tasks.get(data["taskId"])
        occasion = Occasion(memory=self, channel="callback", attempt=attempt)
        if task is not None:
            self._observe_data(task, data)
            occasion.key, occasion.task, occasion.body = task.key, task, task.body
        return occasion

    def acts_another_key_since(self, task: SeenTask) -> bool:
        """Tell whether another key has sent a request since the submit of a task."""
        return any(
            key != task.key and seen.last_request > task.born for key, seen in self.keys.items()
        )

    def _observe_submit(self, asked: Asked, told: Told, occasion: Occasion) -> None:
        occasion.body = submitted(asked)
        seen = occasion.seen_key
        if told.status != 200:
            seen.rejected += 1
            return
        task = SeenTask(
            id=told.json["data"]["taskId"],
            key=occasion.key,
            body=occasion.body,
            number=len(seen.tasks) + 1,
            follows_rejection=seen.rejected > 0,
            born=self._requests,
        )
        seen.tasks.append(task)
        self.tasks[task.id] = occasion.task = task

    def _observe_status(self, asked: Asked, told: Told, occasion: Occasion) -> None:
        named = parse_qs(asked.query.decode("latin-1")).get("taskId", [""])[0]
        task = self.tasks.get(named)
        if task is None:
            return
        occasion.task, occasion.body = task, task.body
        if told.status == 200:
            task.polls += 1
            self._observe_data(task, told.json["data"])

    def _observe_data(self, task: SeenTask, data: Mapping[str, Any]) -> None:
        if "completeTime" not in data or task.final is not None:
            return
        task.final = data
        for number, url in enumerate(urls_of(data)):
            self.pictures[urlsplit(url).path] = (task, number)

    def _observe_result(self, asked: Asked, told: Told, occasion: Occasion) -> None:
        """Let a download, which needs no key, be an occasion of the key that bought the picture."""
        known = self.pictures.get(asked.path)
        if known is not None:
            occasion.task, occasion.picture = known
            occasion.body, occasion.key = known[0].body, known[0].key
            occasion.throttled_before = occasion.seen_key.throttled
            if told.status == 200:
                self.notes.setdefault(f"picture of {known[0].id}", told.body)

    def _remember_last(self, occasion: Occasion) -> None:
        """Let the balance, and every error, be an occasion of the newest task of the key."""
        if occasion.seen_key.tasks:
            occasion.task = occasion.seen_key.tasks[-1]
            occasion.body = occasion.task.body


def submitted(asked: Asked) -> dict[str, Any]:
    """Return the body of a submit; an empty object if it is none."""
    try:
        body = asked.json
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return body if isinstance(body, dict) else {}


def urls_of(data: Mapping[str, Any]) -> list[str]:
    if "resultJson" not in data:
        return []
    urls: list[str] = json.loads(data["resultJson"])["resultUrls"]
    return urls


def _channel(asked: Asked) -> Channel:
    if asked.is_submit:
        return "submit"
    if asked.is_status:
        return "status"
    if asked.is_result:
        return "result"
    return "balance" if asked.path.endswith("/current-balance") else "other"


def _date_ms(told: Told) -> int:
    date = dict(told.headers).get(b"date")
    return 0 if date is None else round(parsedate_to_datetime(date.decode()).timestamp() * 1000)
