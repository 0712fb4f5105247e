"""The fixed parts of the pytest tests that the kit writes."""

from typing import Final

HEAD: Final = '''\
"""Reproduces a finding of contract-tests. Run it with pytest; BASE_URL names the server."""

{imports}

import httpx

BASE_URL = os.environ.get("BASE_URL", "{base_url}")
OWN = {{"Authorization": "Bearer " + os.environ.get("APIXO_API_KEY", uuid.uuid4().hex)}}
OTHER = {{"Authorization": "Bearer " + os.environ.get("OTHER_API_KEY", uuid.uuid4().hex)}}
'''

IMPORTS: Final = {
    "base64.": "import base64",
    "json.": "import json",
    "os.": "import os",
    "threading.": "import threading",
    "time.": "import time",
    "uuid.": "import uuid",
    "BaseHTTPRequestHandler": "from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer",
}
"""What a test imports, by the text that needs it."""

RECEIVER: Final = '''
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNgYGAAAAAEAAH2FzhVAAAAAElFTkSuQmCC"
)


class Receiver(BaseHTTPRequestHandler):
    """Records callbacks, answers them with `reactions`, then with 200, and serves pictures."""

    reactions = {reactions}
    received = {{}}

    def do_POST(self):
        name = self.path.lstrip("/")
        body = self.rfile.read(int(self.headers["Content-Length"]))
        statuses = self.reactions.get(name, [])
        self.received.setdefault(name, []).append(body)
        self._answer(statuses.pop(0) if statuses else 200, b"")

    def do_GET(self):
        size = 10 * 1024 * 1024 + 1 if "large" in self.path else 0
        self._answer(200, PNG.ljust(size, b"\\0"))

    def _answer(self, status, content):
        self.send_response(status)
        self.send_header("Content-Type", "image/png")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    @classmethod
    def bodies(cls, name, at_least):
        until = time.monotonic() + 60
        while len(cls.received.get(name, [])) < at_least and time.monotonic() < until:
            time.sleep(0.05)
        return cls.received.get(name, [])


SERVER = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=SERVER.serve_forever, daemon=True).start()
RECEIVER_URL = f"http://127.0.0.1:{{SERVER.server_port}}"
'''
"""A receiver of callbacks in the test itself, because a callback needs one."""

SCENARIO: Final = '''\
"""Reproduces a finding of contract-tests. Run it with pytest; BASE_URL names the server.

The checkers of the kit judge the requests, so this needs apixo-testkit[contract].
"""

import os

from contract_tests.server.replaying import violated_clauses

BASE_URL = os.environ.get("BASE_URL", "{base_url}")
SCENARIO = {scenario}


def test_{name}():
    """Expected: {expected}"""
    assert "{clause}" not in violated_clauses(SCENARIO, BASE_URL)
'''
"""A test of what checkers have found: they need all requests, not only the last one."""
