"""Remove the API key from journal entries before a durable store gets them.

The data of such a store stays after the end of the process, and operators copy it. The control
plane shows the same journal as with other stores, because it redacts entries too.
"""

import msgspec

from mock_server.domain.journal import MAX_BODY_BYTES, Entry
from mock_server.web.redaction import Redactor
from mock_server.web.request import ProviderRequest
from mock_server.web.response_head import ResponseHead

_ENOUGH_BYTES = 2 * MAX_BODY_BYTES  # A redacted body is shorter, but still long enough.


def without_key(
    entry: Entry, request: ProviderRequest, answer_body: bytes, head: ResponseHead
) -> Entry:
    """Return an entry without the key of its request.

    Bodies are redacted before they are truncated, so no part of a key remains at their end.
    """
    headers = request.block.redacted
    redactor = headers.redactor
    body = request.body or b""
    if not entry.answer:
        answer_body = b""  # A picture, which the journal does not contain.
    if len(body) + len(answer_body) > _ENOUGH_BYTES:
        body, answer_body = body[:_ENOUGH_BYTES], answer_body[:_ENOUGH_BYTES]
    # One search in everything takes less time than one in each part, and most entries have no key.
    sent = b"\n".join((request.target.raw_path, entry.query, body))
    if not redactor.may_be_in(b"\n".join((sent, answer_body, head.encoded)), len(sent)):
        return msgspec.structs.replace(entry, headers=headers.pairs)
    return msgspec.structs.replace(
        entry,
        path=redactor.everywhere(entry.path.encode()).decode(errors="replace"),
        query=redactor.everywhere(entry.query),
        request=redactor.everywhere(body)[:MAX_BODY_BYTES],
        answer=redactor.everywhere(answer_body)[:MAX_BODY_BYTES],
        headers=headers.pairs,
        answer_headers=redactor.headers_everywhere(head.headers),
    )


def without_other_key(entry: Entry, redactor: Redactor) -> Entry:
    """Return an entry without a key that is not the key of its request."""
    return msgspec.structs.replace(
        entry,
        query=redactor.everywhere(entry.query),
        headers=redactor.headers_everywhere(entry.headers),
        answer_headers=redactor.headers_everywhere(entry.answer_headers),
    )
