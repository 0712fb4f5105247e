"""A fingerprint of data that commands use but no log contains: models and fail messages."""

from hashlib import sha256

import msgspec

from mock_server.domain.sandbox.state import SandboxTemplate


def fingerprint(template: SandboxTemplate) -> str:
    """Return a hash; commands have the same results in servers whose fingerprints are equal."""
    parts = (dict(template.models), dict(template.fail_messages))
    return sha256(msgspec.json.encode(parts, order="deterministic")).hexdigest()[:32]
