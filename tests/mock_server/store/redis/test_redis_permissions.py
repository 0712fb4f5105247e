"""The guide shows a user with exactly the permissions that the store needs.

The server that most tests share has this user, so no permission is missing.
"""

import re
from pathlib import Path

import mock_server.store.redis
from tests.redis_server import documented_user

# redis-py sends these when it connects.
_OF_CONNECTIONS = {"client|setname", "select"}
_COMMAND = re.compile(r"""\(\s*"([A-Z]{3,})"|redis\.call\(\s*['"](\w+)""")


def test_documented_user_may_send_no_command_that_the_store_does_not_send() -> None:
    folder = Path(mock_server.store.redis.__file__).parent
    sent = {
        (command or of_script).lower()
        for path in folder.glob("*.py")
        for command, of_script in _COMMAND.findall(path.read_text(encoding="utf-8"))
    }
    permitted = {word[1:] for word in documented_user() if word.startswith("+")}

    assert permitted == sent | _OF_CONNECTIONS
