"""Print the declared faults as `fixtures/contract/faults.json`, which the audit reads."""

import sys

import msgspec

from mock_server.domain.faults.register import declared_faults


def faults_json() -> str:
    """Return the text of the file."""
    return msgspec.json.format(msgspec.json.encode(declared_faults()), indent=2).decode() + "\n"


if __name__ == "__main__":
    sys.stdout.write(faults_json())
