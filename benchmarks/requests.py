"""The requests that are sent to every server."""

import json

from benchmarks.wrk import Request

KEY = "bench"
MODEL = "gpt-image-1"
SUBMIT_PATH = f"/api/v1/generateTask/{MODEL}"
STATUS_PATH = f"/api/v1/statusTask/{MODEL}"
_PROMPT = "a red fox that crosses a snowy field, no. {:08}"  # 50 characters


def submit_body(number: int) -> str:
    """Return the body of a submit as clients send it, with a prompt of 50 characters."""
    return json.dumps(
        {
            "request_type": "async",
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
