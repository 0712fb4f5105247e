"""Decode and validate the body of a submit.

The validating types are built from the model's entry in the catalogue. The OpenAPI document is
generated from the same types (SUB-2 … SUB-19). Unknown members are ignored (SUB-15, SUB-16);
so are `resolution`, `output_format` and `negative_prompt` of the general parameters page (SUB-19).
"""

import re
from typing import Annotated, Any, Literal, cast

import msgspec
from msgspec import UNSET, Meta

from mock_server.domain.addresses import why_not_public
from mock_server.domain.catalogue import Model
from mock_server.domain.errors import InvalidRequest
from mock_server.domain.validation import joined, read_message, shown, value_at

REQUEST_TYPES = ("async", "callback")  # SUB-3
PROVIDERS = ("auto", "value", "official")  # SUB-6
MAX_CALLBACK_URL_LENGTH = 2048
CALLBACK_URL_PATTERN = (
    r"^[Hh][Tt][Tt][Pp][Ss]?://"
    r"([^\s\x00-\x1f\x7f/?#@\[\]\\]*@)?"  # user and password
    r"(\[[0-9A-Fa-f:.]+\]|[^\s\x00-\x1f\x7f/?#@:\[\]\\]+)"
    r"(:(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[0-9]{1,4}))?"
    r"([/?#][^\s\x00-\x1f\x7f]*)?$"
)


class Submission(msgspec.Struct, frozen=True, gc=False, kw_only=True, array_like=True):
    """A valid submit with its defaults."""

    prompt: str
    ratio: str
    num_images: int
    image_urls: tuple[str, ...] = ()
    callback_url: str | None = None


class _Input(msgspec.Struct, gc=False):
    """The member `input` of the body (SUB-7)."""

    prompt: str
    mode: str | None
    aspect_ratio: str | None
    num_images: int | None
    image_urls: list[str] | None


class _Body(msgspec.Struct, gc=False):
    input: _Input
    request_type: str | None
    callback_url: str | None
    provider: str | None


class _InputWithPrompt(msgspec.Struct, gc=False):
    prompt: str


class _BodyWithPrompt(msgspec.Struct, gc=False):
    input: _InputWithPrompt


def prompt_of(raw: bytes) -> str | None:
    """Return the prompt of a body that may be invalid otherwise; None if it has no prompt."""
    try:
        return msgspec.json.decode(raw, type=_BodyWithPrompt).input.prompt
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


class SubmissionDecoder:
    """Decodes and validates the bodies of submits for one model, in one pass.

    `strict` requires `input.mode` (SUB-8) and a public HTTPS `callback_url` (SUB-5).
    `general_ratios` accepts the aspect ratios of the general parameters page too (SUB-19).
    """

    def __init__(self, model: Model, *, strict: bool, general_ratios: bool) -> None:
        self.body_type = body_type(model, strict=strict, general_ratios=general_ratios)
        self._strict = strict
        self._decoder: msgspec.json.Decoder[_Body] = msgspec.json.Decoder(self.body_type)
        self._allowed = _allowed(model, strict=strict, general_ratios=general_ratios)
        own_ratios = [ratio.name for ratio in model.aspect_ratios]
        self._ratios: dict[str | None, str] = {
            None: own_ratios[0],
            **{name: model.nearest_ratio(name).name for name in model.general_ratios},
            **{name: name for name in own_ratios},
        }
        self._default_count = model.image_counts[0]

    def decode(self, raw: bytes) -> Submission:
        """Return the submission.

        Raise InvalidRequest, which names the field, the valid values and the value received.
        """
        try:
            if not raw.isascii():
                raw.decode()  # msgspec does not check the encoding of unknown members.
            body = self._decoder.decode(raw)
        except msgspec.ValidationError as error:
            raise InvalidRequest(self._explain(error, raw)) from error
        except msgspec.DecodeError as error:
            raise InvalidRequest(f"body: must be one JSON object ({error})") from error
        except UnicodeDecodeError as error:
            raise InvalidRequest(f"body: must be UTF-8 ({error.reason})") from error
        except RecursionError as error:
            raise InvalidRequest("body: nested too deeply") from error
        given = body.input
        return Submission(
            prompt=given.prompt,
            ratio=self._ratios[given.aspect_ratio],
            num_images=given.num_images or self._default_count,
            image_urls=tuple(given.image_urls) if given.image_urls else (),
            callback_url=self._callback_url(body) if body.request_type == "callback" else None,
        )

    def _callback_url(self, body: _Body) -> str:
        if not body.callback_url:  # SUB-4
            raise InvalidRequest(
                'callback_url: is required if request_type is "callback";'
                f" {self._allowed['callback_url']}"
            )
        problem = _callback_problem(body.callback_url, strict=self._strict)
        if problem:
            received = shown(body.callback_url)
            raise InvalidRequest(f"callback_url: {problem} (got {received})")
        return body.callback_url

    def _explain(self, error: msgspec.ValidationError, raw: bytes) -> str:
        message = read_message(error)
        path = message.path
        if message.missing is not None:
            # This is the documented wording (ENV-2).
            return f"Missing required field: {joined(path, message.missing)}"
        allowed = self._allowed.get(path) or self._allowed[re.sub(r"\[\d+\]$", "[]", path)]
        received = value_at(raw, path)
        got = "" if received is UNSET else f" (got {shown(received)})"
        return f"{path or 'body'}: {allowed}{got}"


def body_type(
    model: Model, *, strict: bool, general_ratios: bool, name_prefix: str = ""
) -> type[_Body]:
    """Return the type of a submit's body for this model.

    It does not check the rules for `callback_url` (SUB-4, SUB-5); the decoder does.
    """
    modes: Any = Literal[model.strict_modes if strict else model.modes]
    ratios: Any = Literal[_ratios(model, general_ratios=general_ratios)]
    counts: Any = Literal[model.image_counts]
    prompt: Any = Annotated[str, Meta(min_length=1, max_length=model.prompt_max_length)]
    images: Any = Annotated[list[str], Meta(max_length=model.max_image_urls)]
    fields: list[Any] = [
        ("prompt", prompt),
        ("mode", modes) if strict else ("mode", modes | None, None),
        ("aspect_ratio", ratios | None, None),
        ("num_images", counts | None, None),
        ("image_urls", images | None, None),
    ]
    given = msgspec.defstruct(
        f"{name_prefix}SubmitInput", fields, bases=(_Input,), gc=False, kw_only=True
    )
    request_types: Any = Literal[REQUEST_TYPES]
    providers: Any = Literal[PROVIDERS]
    outer: list[Any] = [
        ("input", given),
        ("request_type", request_types | None, None),
        ("callback_url", str | None, None),
        ("provider", providers | None, None),
    ]
    made: Any = msgspec.defstruct(
        f"{name_prefix}SubmitRequest", outer, bases=(_Body,), gc=False, kw_only=True
    )
    return cast("type[_Body]", made)


def _ratios(model: Model, *, general_ratios: bool) -> tuple[str, ...]:
    names = tuple(ratio.name for ratio in model.aspect_ratios)
    return (*names, *model.general_ratios) if general_ratios else names


def _allowed(model: Model, *, strict: bool, general_ratios: bool) -> dict[str, str]:
    """Return a description of the valid values by path."""
    modes = model.strict_modes if strict else model.modes
    return {
        "": "must be a JSON object",
        "input": "must be an object with at least a prompt",
        "input.prompt": f"must be a string of 1 to {model.prompt_max_length} characters",
        "input.mode": _one_of(modes),
        "input.aspect_ratio": _one_of(_ratios(model, general_ratios=general_ratios)),
        "input.num_images": _one_of(model.image_counts),
        "input.image_urls": f"must be a list of at most {model.max_image_urls} URLs",
        "input.image_urls[]": "must be a string, the URL of an image",
        "request_type": _one_of(REQUEST_TYPES),
        "callback_url": "must be an http or https URL",
        "provider": _one_of(PROVIDERS),
    }


def _one_of(values: Any) -> str:
    return "must be one of " + ", ".join(str(value) for value in values)


def _callback_problem(url: str, *, strict: bool) -> str | None:
    """Return what is wrong with a callback URL, or None; `strict` includes SUB-5."""
    if len(url) > MAX_CALLBACK_URL_LENGTH:
        return f"must have at most {MAX_CALLBACK_URL_LENGTH} characters"
    found = re.match(CALLBACK_URL_PATTERN, url)
    if found is None or url.endswith("\n"):
        return "must be an http or https URL without white space"
    if strict and not url.lower().startswith("https:"):
        return "must be a public HTTPS URL"
    if strict and (why := why_not_public(found[2].strip("[]"))):
        return f"must be a public HTTPS URL; {why}"
    return None
