"""The end of a chunked body is found with little work, however small its chunks are."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.http_chunks import ChunkedBody

_TINY = b"1\r\na\r\n" * 10_000
_END = b"0\r\n\r\n"


class Searched(bytes):
    """Counts how often it is searched: at least once for each line that is read."""

    searches = 0

    def find(self, *args: Any) -> int:
        self.searches += 1
        return super().find(*args)


@pytest.mark.parametrize("before", [b"", b"1", b"1\r", b"1\r\n", b"1\r\na", b"1\r\na\r"])
def test_tiny_chunks_are_skipped_together_wherever_the_data_is_split(before: bytes) -> None:
    body = ChunkedBody()
    body.end(before, 0)
    rest = Searched((b"1\r\na\r\n"[len(before) :] if before else b"") + _TINY + _END)

    assert body.end(rest, 0) == (len(rest), None)
    assert rest.searches < 10


@given(st.lists(st.binary(min_size=1, max_size=20)), st.integers(0, 500), st.binary(max_size=3))
def test_body_ends_after_its_last_chunk(chunks: list[bytes], at: int, after: bytes) -> None:
    encoded = b"".join(b"%X\r\n%b\r\n" % (len(each), each) for each in chunks) + _END
    at = min(at, len(encoded))
    body = ChunkedBody()

    assert body.end(encoded[:at], 0) == (at, None)
    assert body.end(encoded[at:] + after, 0) == (len(encoded) - at, None)
