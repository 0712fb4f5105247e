"""Every declared fault in one list, for the audit of clients and the reference page."""

import msgspec

from mock_server.domain.faults.callback import CallbackFault
from mock_server.domain.faults.injected import FaultKind
from mock_server.domain.faults.meaning import MeaningFault
from mock_server.domain.faults.wire import WireFault


class DeclaredFault(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A fault and its visible effects on a client."""

    kind: FaultKind
    name: str
    about: str
    breaks_response: bool = False
    hides_result: bool = False
    spoils_picture: bool = False
    is_false_callback: bool = False


def declared_faults() -> list[DeclaredFault]:
    return [
        *(
            DeclaredFault(
                kind=FaultKind.WIRE,
                name=fault.value,
                about=fault.traits.about,
                breaks_response=fault.traits.breaks_response,
            )
            for fault in WireFault
        ),
        *(
            DeclaredFault(
                kind=FaultKind.MEANING,
                name=fault.value,
                about=fault.traits.about,
                hides_result=fault.traits.hides_result,
                spoils_picture=fault.traits.spoils_picture,
            )
            for fault in MeaningFault
        ),
        *(
            DeclaredFault(
                kind=FaultKind.CALLBACK,
                name=fault.value,
                about=fault.traits.about,
                is_false_callback=fault.traits.is_false,
            )
            for fault in CallbackFault
        ),
    ]
