"""Find a fail code in the error of a submit (FAIL-1 … FAIL-3, FAIL-6)."""

import re
from collections.abc import Mapping

KNOWN_FAIL_CODES = frozenset(
    {
        "CONTENT_VIOLATION",
        "INVALID_IMAGE_URL",
        "NSFW_DETECTED",
        "PROMPT_TOO_LONG",
        "INVALID_PROMPT",
        "IMAGE_TOO_LARGE",
        "UNSUPPORTED_FORMAT",
        "IMAGE_DOWNLOAD_FAILED",
        "PROCESSING_TIMEOUT",
        "MODEL_UNAVAILABLE",
        "GENERATION_FAILED",
        "INSUFFICIENT_CREDITS",
        "SensitiveContent",
        "SensitiveContentDetected",
        "InputImageSensitiveContentDetected",
        "InputOutputSensitiveContentDetected",
        "ProhibitedContentDetected",
        "NSFW",
        "PromptLengthExceeded",
        "INVALID_LORA_URL",
    }
)
"""The codes of the provider's pages; a test compares them with the project's data file."""

_FIRST_WORD = re.compile(r"\s*(\w+)\s*(?::|$)")


def find_fail_code(data: object, message: str) -> str | None:
    """Return the fail code of an error, or None if it has none.

    Any code counts in `data.failCode`. In `data.error` and in the message, only a known code at the
    beginning counts, because these texts may quote the request.
    """
    detail = data.get("error") if isinstance(data, Mapping) else None
    code = data.get("failCode") if isinstance(data, Mapping) else None
    if isinstance(code, str) and code:
        return code
    for text in (detail, message):
        found = _FIRST_WORD.match(text) if isinstance(text, str) else None
        if found and found[1] in KNOWN_FAIL_CODES:
            return found[1]
    return None
