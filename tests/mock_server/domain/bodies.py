"""Bodies of a submit: valid ones, drawn from the catalogue's entry, and how they are written."""

import json
from typing import Any

from hypothesis import strategies as st

from mock_server.domain.submission import PROVIDERS, SubmissionDecoder
from tests.mock_server.domain.strategies import MODEL

LENIENT = SubmissionDecoder(MODEL, strict=False, general_ratios=False)
STRICT = SubmissionDecoder(MODEL, strict=True, general_ratios=False)
KNOWN = {
    "request_type", "callback_url", "provider", "input",
    "mode", "prompt", "aspect_ratio", "num_images", "image_urls",
}  # fmt: skip

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
unknown_members = st.dictionaries(
    st.text(max_size=8).filter(lambda name: name not in KNOWN), anything, max_size=3
)
prompts = st.text(min_size=1, max_size=30) | st.text(min_size=1, max_size=10).map(
    lambda text: (text * MODEL.prompt_max_length)[: MODEL.prompt_max_length]
)
public_hosts = st.sampled_from(["example.com", "a.b.example.org:8443", "8.8.8.8", "[2606:4700::1]"])
any_hosts = public_hosts | st.sampled_from(["localhost", "127.0.0.1:9", "[::1]:80", "receiver"])
paths = st.text("abc019-_.~%/?=&+", max_size=20).map("/".__add__)


def urls(schemes: list[str], hosts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds("{}://{}{}".format, st.sampled_from(schemes), hosts, paths)


def _inputs(modes: tuple[str, ...], *, strict: bool) -> st.SearchStrategy[dict[str, Any]]:
    mode = st.sampled_from(modes)
    return st.fixed_dictionaries(
        {"prompt": prompts} | ({"mode": mode} if strict else {}),
        optional={
            "aspect_ratio": st.none()
            | st.sampled_from([each.name for each in MODEL.aspect_ratios]),
            "num_images": st.none() | st.sampled_from(MODEL.image_counts),
            "image_urls": st.none() | st.lists(st.text(max_size=20), max_size=MODEL.max_image_urls),
        }
        | ({} if strict else {"mode": st.none() | mode}),
    )


def _bodies(
    inputs: st.SearchStrategy[dict[str, Any]], callback_urls: st.SearchStrategy[str]
) -> st.SearchStrategy[dict[str, Any]]:
    provider = {"provider": st.none() | st.sampled_from(PROVIDERS)}
    polled = st.fixed_dictionaries(
        {"input": inputs},
        optional=provider
        | {
            "request_type": st.none() | st.just("async"),
            "callback_url": st.none() | st.text(max_size=20),
        },
    )
    called_back = st.fixed_dictionaries(
        {"input": inputs, "request_type": st.just("callback"), "callback_url": callback_urls},
        optional=provider,
    )
    return polled | called_back


bodies = _bodies(_inputs(MODEL.modes, strict=False), urls(["http", "https", "HTTPS"], any_hosts))
strict_bodies = _bodies(_inputs(MODEL.strict_modes, strict=True), urls(["https"], public_hosts))


def encoded(body: object) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()
