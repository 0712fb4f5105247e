"""Find the sandboxes into which a snapshot of another sandbox was restored."""

from collections.abc import Sequence


class Origins:
    """The ids of such sandboxes, by the origin of their tasks.

    Without them, each request with an unknown result URL would search every sandbox.
    """

    def __init__(self) -> None:
        self._origin_of: dict[str, str] = {}
        self._by_origin: dict[str, dict[str, None]] = {}

    def note(self, sandbox_id: str, origin: str) -> None:
        """Note the origin that a sandbox has now."""
        self.forget(sandbox_id)
        if origin != sandbox_id:
            self._origin_of[sandbox_id] = origin
            self._by_origin.setdefault(origin, {})[sandbox_id] = None

    def forget(self, sandbox_id: str) -> None:
        """Forget a sandbox that was removed."""
        origin = self._origin_of.pop(sandbox_id, None)
        if origin is not None:
            others = self._by_origin[origin]
            del others[sandbox_id]
            if not others:
                del self._by_origin[origin]

    def restored_from(self, origin: str) -> Sequence[str]:
        """Return the ids of the other sandboxes with this origin, the newest first."""
        return list(reversed(self._by_origin.get(origin, {})))
