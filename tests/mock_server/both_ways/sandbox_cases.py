"""Keys, tasks, limits, time and callbacks: what happens within a sandbox."""

import base64
import json

from tests.mock_server.both_ways.case import Cases
from tests.mock_server.both_ways.conversation import Conversation
from tests.mock_server.both_ways.server import START_MS
from tests.mock_server.e2e.api import BALANCE, STATUS

CASES = Cases()
_PNG = "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\nand the rest").decode()


def _submission(**members: object) -> bytes:
    inputs = {"prompt": "a fox", **members}
    return json.dumps({"input": inputs}).encode()


def callback(**members: object) -> bytes:
    submission = {"request_type": "callback", "callback_url": "http://127.0.0.1:9/hook"}
    return json.dumps(submission | {"input": {"prompt": "a fox", **members}}).encode()


@CASES.case(200, 200, direct=2)
def first_requests_of_a_sandbox(t: Conversation) -> None:
    t.send(t.submit() + t.balance())


@CASES.case(404, direct=1)
def first_request_of_a_sandbox_is_for_an_unknown_task(t: Conversation) -> None:
    t.send(t.status())


@CASES.case(401, 401, 401, 401, 401, direct=0)
def keys_that_are_missing(t: Conversation) -> None:
    header = f"Authorization: Bearer {t.key}\r\n".encode()
    for instead in (
        b"", b"Authorization: \r\n", b"Authorization: Bearer\r\n", b"Authorization: Bearer  \r\n",
        b"X-Api-Key: " + t.key.encode() + b"\r\n",
    ):  # fmt: skip
        t.send(t.balance().replace(header, instead))


@CASES.case(401, 401, 401, 403, 403, 403, direct=0)
def keys_that_are_invalid_or_forbidden(t: Conversation) -> None:
    for key in (b"Bearer sk-invalid-1", b"Bearer sk-forbidden-1"):
        t.send(*[each.replace(b"Bearer", key) for each in (t.balance(), t.submit(), t.status())])


@CASES.case(200, 200, 200, direct=3)
def keys_in_other_spellings(t: Conversation) -> None:
    usual = f"Bearer {t.key}".encode()
    for spelling in (usual.upper(), usual.replace(b"Bearer ", b"bEARER   "), usual + b" \t"):
        t.send(t.balance().replace(usual, spelling))
    t.another_key(t.key.upper())


@CASES.case(401, 401, direct=0)
def keys_of_other_schemes(t: Conversation) -> None:
    t.send(t.balance().replace(b"Bearer", b"Basic"), t.balance().replace(b"Bearer ", b""))


@CASES.case(200, 400, 200, direct=3)
def keys_without_credit(t: Conversation) -> None:
    broke = f"sk-broke-{t.key}"
    t.another_key(broke)
    for request in (t.balance(), t.submit(), t.balance()):
        t.send(request.replace(t.key.encode(), broke.encode()))


@CASES.case(200, 200, 404, 200, direct=4)
def two_keys_on_one_connection(t: Conversation) -> None:
    other = f"{t.key}-other"
    t.another_key(other)
    task_id = t.new_task()
    mine, theirs = t.key.encode(), other.encode()
    t.send(t.submit().replace(mine, theirs) + t.status(task_id))
    t.send(t.status(task_id).replace(mine, theirs) + t.balance())


@CASES.case(200, 200, 200, 200, direct=4)
def states_of_a_task(t: Conversation) -> None:
    t.api.told("PUT", "clock", {"mode": "manual"})
    task_id = t.new_task()
    for seconds in (1, 20, 100, 100):
        t.send(t.status(task_id))
        t.settle()
        t.api.advance(seconds)


@CASES.case(200, 200, 200, direct=3)
def states_of_a_task_in_real_time(t: Conversation) -> None:
    task_id = t.new_task()
    for at_ms in (0, 10_000, 500_000):
        t.clock.now_ms = START_MS + at_ms
        t.send(t.status(task_id, "X-Time: 1"))
        t.settle()
    t.clock.now_ms = START_MS


@CASES.case(200, 200, direct=2)
def failed_tasks(t: Conversation) -> None:
    t.api.change(generation_time=0)
    for prompt in ("[[mock fail=NSFW]]", 'a [[mock fail=CONTENT_VIOLATION message="no"]] fox'):
        t.send(t.status(t.new_task(_submission(prompt=prompt))))


@CASES.case(404, 404, 404, 404, direct=4)
def unknown_tasks(t: Conversation) -> None:
    task_id = t.new_task()
    for unknown in ("x", task_id[:-1], task_id.upper(), "-" * 3_000):
        t.send(t.status(unknown))


@CASES.case(400, 400, 400, 400, direct=0)
def task_ids_that_are_missing(t: Conversation) -> None:
    for query in ("", "?", "?taskId=", "?task_id=x"):
        t.send(t.request(f"GET {STATUS}{query} HTTP/1.1"))


@CASES.case(200, 404, 404, 200, 404, 404, direct=0)
def task_ids_that_are_repeated(t: Conversation) -> None:
    task_id = t.new_task()
    for query in (
        f"taskId={task_id}&taskId=x", f"taskId=x&taskId={task_id}", f"taskId=&taskId={task_id}x",
        f"a=b&taskId={task_id}", f"taskid={task_id}&taskId=x", f"taskId=x;taskId={task_id}",
    ):  # fmt: skip
        t.send(t.request(f"GET {STATUS}?{query} HTTP/1.1"))


@CASES.case(200, 200, 404, 404, 404, 404, direct=0)
def task_ids_that_are_percent_encoded(t: Conversation) -> None:
    task_id = t.new_task()
    encoded = "".join(f"%{ord(letter):02x}" for letter in task_id)
    for query in (
        f"taskId={encoded}", f"t%61skId={task_id}", f"taskId=+{task_id}", f"taskId={task_id}+",
        f"taskId={task_id}%00", f"taskId={task_id}%zz",
    ):  # fmt: skip
        t.send(t.request(f"GET {STATUS}?{query} HTTP/1.1"))


@CASES.case(404, 404, direct=0)
def models_that_are_not_served(t: Conversation) -> None:
    t.send(t.submit().replace(b"gpt-image-1", b"dall-e"), t.status().replace(b"gpt", b"gpd"))


@CASES.case(*[400] * 12, direct=12)
def invalid_submits(t: Conversation) -> None:
    for body in (
        b"", b"{", b"[]", b"null", b"{}", b'{"input":{}}', b'{"input":{"prompt":""}}', b"\xff{}",
        b'{"input":{"prompt":"\\ud800"}}', _submission(num_images=3), b'\xef\xbb\xbf{"input":1}',
        b'{"request_type":"callback","input":{"prompt":"a fox"}}',
    ):  # fmt: skip
        t.send(t.submit(body=body))


@CASES.case(*[200] * 6, direct=6)
def unusual_submits(t: Conversation) -> None:
    for body in (
        b' \r\n\r\n {"input":{"prompt":"a fox"}} \n', _submission(prompt="\N{FOX FACE}" * 3_000),
        _submission(num_images=4, aspect_ratio="3:2", mode="text-to-image"),
        _submission(image_urls=[]), _submission(unknown={"a": [1, None]}),
        b'{"input":{"prompt":"a"},"input":{"prompt":"GET / HTTP/1.1\\r\\n\\r\\n"}}',
    ):  # fmt: skip
        t.send(t.submit(body=body))


@CASES.case(200, 200, 200, 200, direct=1)
def reference_images(t: Conversation) -> None:
    t.api.change(image_urls="fetch", generation_time=0)
    good = t.submit(body=_submission(image_urls=[_PNG]))
    bad = t.submit(body=_submission(image_urls=[_PNG, "data:image/gif;base64,R0lGODdh"]))
    refused = t.submit(body=_submission(image_urls=["http://127.0.0.1:1/a.png"]))
    t.send(t.balance() + good + bad + refused)


@CASES.case(400, 200, direct=1)
def reference_images_that_are_invalid(t: Conversation) -> None:
    t.send(t.submit(body=_submission(image_urls=[_PNG] * 6)))
    t.send(t.submit(body=_submission(image_urls=["ftp://mock.test/a.png"])))


@CASES.case(200, 200, 429, 429, 429, 200, 200, direct=7)
def rate_limit(t: Conversation) -> None:
    t.api.told("PUT", "clock", {"mode": "manual"})
    t.api.change(rate_limit=2)
    t.send(t.submit() + t.balance() + t.submit() + t.balance() + t.status())
    t.settle()
    t.api.advance(61)
    t.send(t.submit() + t.balance())


@CASES.case(200, 429, 429, direct=3)
def rate_limit_without_retry_after(t: Conversation) -> None:
    t.api.change(rate_limit=1, retry_after=False)
    t.send(t.balance() + t.submit(body=b"{}") + t.status())


@CASES.case(200, 429, 200, 400, direct=4)
def task_limit(t: Conversation) -> None:
    t.api.change(max_concurrent=1)
    t.send(t.submit() + t.submit() + t.balance() + t.submit(body=b"{}"))


@CASES.case(200, 402, 200, direct=3)
def credit(t: Conversation) -> None:
    t.api.change(balance=0.04, insufficient_credits_status=402)
    t.send(t.submit() + t.submit() + t.balance())


@CASES.case(200, 400, 400, direct=3)
def settings_that_change_between_requests(t: Conversation) -> None:
    body = _submission(mode="text-to-image")
    t.send(t.submit(body=body))
    t.settle()
    t.api.change(strict=True, result_host="other", task_ids="reserved")
    t.send(t.submit(body=body) + t.submit())


@CASES.case(200, 404, 200, 200, direct=4)
def sandbox_removed_between_requests(t: Conversation) -> None:
    task_id = t.new_task()
    t.send(t.status(task_id))
    t.settle()
    assert t.api.control("DELETE", "sandbox").status_code == 204
    t.send(t.status(task_id.replace("0", "z")) + t.submit() + t.balance())


@CASES.case(200, 200, 200, direct=3)
def sandbox_restored_between_requests(t: Conversation) -> None:
    task_id = t.new_task()
    snapshot = t.api.told("GET", "sandbox/snapshot")
    t.send(t.submit())
    t.settle()
    assert t.api.control("PUT", "sandbox/snapshot", snapshot).status_code == 204
    t.send(t.status(task_id) + t.submit())


@CASES.case(200, 200, 200, direct=3)
def dates_of_a_clock_of_its_own(t: Conversation) -> None:
    t.api.told("PUT", "clock", {"mode": "manual"})
    for _ in range(3):
        t.send(t.balance())
        t.settle()
        t.api.advance(86_400)


@CASES.case(200, 200, 200, direct=3)
def callbacks_in_virtual_time(t: Conversation) -> None:
    t.api.told("PUT", "clock", {"mode": "manual"})
    t.send(t.submit(body=callback()) + t.submit(body=callback(prompt="[[mock fail=NSFW]]")))
    t.settle()
    t.api.advance(600)
    t.send(t.balance())


@CASES.case(200, 200, 200, direct=3)
def callbacks_of_tasks_that_end_at_once(t: Conversation) -> None:
    t.api.change(generation_time=0)
    t.send(t.submit(body=callback()) + t.balance() + t.submit(body=callback()))
    t.settle()
    t.wait_for_callbacks(2)


@CASES.case(200, 200, 200, direct=3)
def tasks_that_end_after_some_polls(t: Conversation) -> None:
    task_id = t.new_task(callback(prompt="[[mock polls=2]]"))
    t.send(t.status(task_id) + t.status(task_id) + t.status(task_id))
    t.settle()
    t.wait_for_callbacks(1)


@CASES.case(200, 204, direct=1)
def balance_and_its_options(t: Conversation) -> None:
    t.send(t.balance() + t.request(f"OPTIONS {BALANCE} HTTP/1.1", "Origin: http://localhost:5173"))
