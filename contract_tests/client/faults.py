"""The faults that the mock can inject, by their effect on a client, from the mock's own list."""

from typing import Final

import msgspec

from contract_tests.contract.data import FIXTURES


class _Fault(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    name: str
    about: str
    breaks_response: bool = False
    hides_result: bool = False
    spoils_picture: bool = False
    is_false_callback: bool = False

    @property
    def text(self) -> str:
        """The fault as `HttpExchange.injected` names it."""
        return f"{self.kind} {self.name}"


_FAULTS: Final = msgspec.json.decode(
    (FIXTURES / "contract" / "faults.json").read_bytes(), type=list[_Fault]
)
DESCRIPTIONS: Final = {each.text: each.about for each in _FAULTS}
BREAKS_RESPONSE: Final = frozenset(each.text for each in _FAULTS if each.breaks_response)
HIDES_RESULT: Final = frozenset(each.text for each in _FAULTS if each.hides_result)
SPOILS_PICTURE: Final = frozenset(each.text for each in _FAULTS if each.spoils_picture)
FALSE_CALLBACK: Final = frozenset(each.text for each in _FAULTS if each.is_false_callback)
