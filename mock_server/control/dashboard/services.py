"""What the dashboard needs from the rest of the server."""

from collections.abc import Awaitable, Callable

import msgspec
from starlette.types import ASGIApp

from mock_server.domain.task import Task

Paint = Callable[[Task, int, int], Awaitable[bytes]]


class DashboardServices(msgspec.Struct, frozen=True, kw_only=True):
    """`paint` draws the n-th picture of a task, given the seed of its sandbox.

    `submit` serves the submits of the page.
    """

    paint: Paint
    submit: ASGIApp
