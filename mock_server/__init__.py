"""A simulator of the APIXO gpt-image-1 endpoints.

`with mock_server.running(mock_server.Settings(clock="manual")) as server:` runs it in this process;
`running_async` is for `async with`. The names are imported when they are first used.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mock_server._running import RunningServer as RunningServer
    from mock_server._running import running as running
    from mock_server._running import running_async as running_async
    from mock_server.settings import Settings as Settings

__all__ = ["RunningServer", "Settings", "running", "running_async"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    module = import_module("mock_server.settings" if name == "Settings" else "mock_server._running")
    return getattr(module, name)
