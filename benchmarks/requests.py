"""The requests that are sent to every server."""

import json

from benchmarks.wrk import Request

KEY = "bench"
MODEL = "gpt-image-1"
SUBMIT_PATH = f"/api/v1/generateTask/{MODEL}"
STATUS_PATH = f"/api/v1/statusTask/{MODEL}"
_PROMPT = "a red fox that crosses a snowy field, no. {:08}"  # 50 characters


def submit_body(number: int, callback_url: str | None = None) -> str:
    """Return the body of a submit as clients send it, with a prompt of 50 characters.

    With `callback_url`, it is that of a callback task.
    """
    kind = {"request_type": "async"}
    if callback_url is not None:
        kind = {"request_type": "callback", "callback_url": callback_url}
    return json.dumps(
        {
            **kind,
            "provider": "auto",
            "input": {
                "mode": MODEL,
                "prompt": _PROMPT.format(number),
                "aspect_ratio": "3:2",
                "num_images": 2,
            },
        }
    )


def submit_request() -> Request:
    """Return the submit that wrk repeats."""
    return Request(
        paths=[SUBMIT_PATH],
        method="POST",
        headers={"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"},
        body=submit_body(0),
    )


def status_request(task_ids: list[str], key: str = KEY) -> Request:
    """Return status requests for these tasks, in turn."""
    return Request(
        paths=[f"{STATUS_PATH}?taskId={each}" for each in task_ids],
        headers={"Authorization": f"Bearer {key}"},
    )
