"""Read the fields of the forms of the dashboard."""

from urllib.parse import parse_qs

from starlette.requests import Request

from mock_server.control.decoding import MAX_BODY_BYTES
from mock_server.control.errors import ControlError
from mock_server.web.body import BodyTooLarge, read_body


async def form_fields(request: Request) -> dict[str, str]:
    """Return the fields of a form. Raise ControlError (413) if it is too long."""
    try:
        body = await read_body(dict(request.headers.raw), request.receive, MAX_BODY_BYTES)
    except BodyTooLarge as error:
        raise ControlError(413, f"body: must have at most {MAX_BODY_BYTES} bytes") from error
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[0].strip() for name, values in fields.items()}
