"""The catalogue that the commands of a log use but do not contain: models and fail messages.

Commands have the same results in servers whose records are equal.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from mock_server.domain.catalogue import Model
from mock_server.domain.sandbox.state import SandboxTemplate

# The members of a model that settings can change, with the switch and the unit of its value.
_SWITCHES = {"price_usd": ("--price", ""), "result_ttl_s": ("--result-ttl", "s")}


class CatalogueRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A catalogue as plain data, so that a version with other members can compare it."""

    models: dict[str, dict[str, Any]]
    fail_messages: dict[str, str]

    @classmethod
    def of(cls, template: SandboxTemplate) -> "CatalogueRecord":
        parts = {"models": template.models, "fail_messages": template.fail_messages}
        return msgspec.json.decode(msgspec.json.encode(parts), type=cls)

    def adopted_by(self, template: SandboxTemplate) -> SandboxTemplate:
        """Return the template with this catalogue.

        Raises msgspec.ValidationError if another version has made the record, and its models
        have other members.
        """
        models: Mapping[str, Model] = msgspec.convert(self.models, dict[str, Model])
        return msgspec.structs.replace(template, models=models, fail_messages=self.fail_messages)


class SwitchDifference(msgspec.Struct, frozen=True):
    """A switch that makes two catalogues different, with its values."""

    switch: str
    found: str
    own: str


def switch_difference(found: CatalogueRecord, own: CatalogueRecord) -> SwitchDifference | None:
    """Return the first switch that makes two catalogues different, or None if none does that."""
    for model_id in found.models.keys() & own.models.keys():
        for member, (switch, unit) in _SWITCHES.items():
            values = [each.models[model_id].get(member) for each in (found, own)]
            if values[0] != values[1] and None not in values:
                return SwitchDifference(switch, *(f"{value:.15g}{unit}" for value in values))
    return None
