"""The body of a submit: decoded into a valid submission, or rejected with a path of the body."""

import json
import re
from itertools import product

from mock_server.catalogue_files import load_catalogue
from mock_server.domain.errors import InvalidRequest
from mock_server.domain.planner import Planner, PlanRequest
from mock_server.domain.sandbox_settings import SandboxSettings
from mock_server.domain.submission import Submission, SubmissionDecoder, prompt_of
from mock_server.settings import Settings
from tests.fuzz.generators import HARD_JSON, filled, json_text
from tests.fuzz.paths import holder_exists, is_json
from tests.fuzz.target import LONGEST_ERROR, Target

_CATALOGUE = load_catalogue(Settings())
_MODEL = _CATALOGUE.models["gpt-image-1"]
_PLANNER = Planner(_CATALOGUE)
_SETTINGS = SandboxSettings()
_DECODERS = [
    SubmissionDecoder(_MODEL, strict=strict, general_ratios=general)
    for strict, general in product((False, True), repeat=2)
]
_NAMED = r"Missing required field: ([\w.\[\]]+)|([\w.\[\]]+|Content-Type): "
_IN_INPUT = b'{"input":{"prompt":"a fox",'
_PROMPT = b'{"input":{"prompt":"'


def _handle(raw: bytes) -> None:
    """Decode and plan as the endpoint does."""
    try:
        _PLANNER.request(_DECODERS[0].decode(raw), _SETTINGS)
    except InvalidRequest:
        prompt_of(raw)


def _check(raw: bytes) -> None:
    for decoder in _DECODERS:
        try:
            submission = decoder.decode(raw)
            plan = _PLANNER.request(submission, _SETTINGS)
        except InvalidRequest as error:
            _check_error(str(error), raw)
        else:
            _check_submission(submission, decoder, raw)
            assert isinstance(plan, PlanRequest)


def _check_error(text: str, raw: bytes) -> None:
    found = re.match(_NAMED, text)
    assert found, text
    assert len(text) < LONGEST_ERROR, "the error repeats the body"
    text.encode()
    path = found[1] or found[2]
    if path != "body" and is_json(raw):  # Otherwise it is malformed after the first error.
        assert holder_exists(json.loads(raw), path), text


def _check_submission(submission: Submission, decoder: SubmissionDecoder, raw: bytes) -> None:
    assert 1 <= len(submission.prompt) <= _MODEL.prompt_max_length
    assert submission.num_images in _MODEL.image_counts
    assert submission.ratio in {ratio.name for ratio in _MODEL.aspect_ratios}
    assert len(submission.image_urls) <= _MODEL.max_image_urls
    assert prompt_of(raw) == submission.prompt == json.loads(raw)["input"]["prompt"]
    submission.prompt.encode()
    again = {
        "input": {
            "prompt": submission.prompt,
            "mode": "gpt-image-1",
            "aspect_ratio": submission.ratio,
            "num_images": submission.num_images,
            "image_urls": submission.image_urls,
        },
        "request_type": "callback" if submission.callback_url else "async",
        "callback_url": submission.callback_url,
    }
    assert decoder.decode(json.dumps(again).encode()) == submission


def _seeds() -> list[bytes]:
    given: dict[str, object] = {
        "prompt": "a fox [[mock fail=NSFW pending=2s]] é",
        "mode": "gpt-image-1",
        "aspect_ratio": "3:2",
        "num_images": 2,
        "image_urls": ["https://images.test/fox.png", "data:image/png;base64,iVBORw0KGgo="],
    }
    whole = {
        "request_type": "callback",
        "callback_url": "https://user:password@app.test:8443/hook?x=1#y",
        "provider": "auto",
        "input": given,
    }
    strange = {"input": {"prompt": "nude \u0301\u200d", "num_images": 3, "aspect_ratio": "16:9"}}
    return [
        b'{"input":{"prompt":"a fox"}}',
        json.dumps(whole).encode(),
        json.dumps(strange).encode(),
    ]


TARGET = Target(
    check=_check,
    handle=_handle,
    seeds=_seeds,
    words=(
        b'"input"',
        b'"prompt"',
        b'"callback_url"',
        b"[[mock ",
        b"]]",
        b'"image_urls"',
        b"http://",
    ),
    is_json=True,
    worst=HARD_JSON
    | {
        "a prompt": filled(_PROMPT, b"a", b'"}}'),
        "10,000 combining marks": json_text(_PROMPT, "\u0316\u0301", b'"}}', most=5_000),
        "10,000 marks of other kinds": json_text(_PROMPT, "\u0f73\uff9e", b'"}}', most=5_000),
        "10,000 long ligatures": json_text(_PROMPT, "\ufdfa", b'"}}', most=10_000),
        "10,000 invisible characters": json_text(_PROMPT, "\u200d", b'"}}', most=10_000),
        "10,000 openings of directives": json_text(_PROMPT, "[[mock ", b'"}}', most=1_400),
        "a directive without end": json_text(_PROMPT + b"[[mock ", "a=", b'"}}', most=4_900),
        "a value without end": json_text(_PROMPT + b"[[mock a=", '"a\\', b'"}}', most=3_000),
        "directives": json_text(_PROMPT, "[[mock hold]]", b'"}}', most=700),
        "image addresses": filled(_IN_INPUT + b'"image_urls":[', b'"",', b'""]}}'),
        "a callback address": filled(
            _IN_INPUT + b'"a":0},"request_type":"callback","callback_url":"http://', b"a", b'"}'
        ),
        "unknown members of the input": filled(_IN_INPUT, b'"a":[],', b'"b":0}}'),
    },
)
