"""Follow a page as its reader does: write its files, start its servers, run its commands."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.pages.blocks import Block, Kind
from tests.patience import PATIENCE_S

PRINTED_ADDRESS = "127.0.0.1:8080"
# Clients that the audit of a page runs let their sandbox's clock pass instead of sleeping.
SLEEP_IN_SANDBOX = """
import json, os, sys, time, urllib.request

def sleep(seconds):
    body = json.dumps({"seconds": seconds}).encode()
    url = os.environ["APIXO_BASE_URL"] + "/_mock/clock/advance"
    key = {"Authorization": "Bearer " + os.environ["APIXO_API_KEY"]}
    urllib.request.urlopen(urllib.request.Request(url, body, key)).close()

if "APIXO_BASE_URL" in os.environ and sys.orig_argv[1:2] == ["my_client.py"]:
    time.sleep = sleep
"""
SHELLS = {
    "bash": ["bash", "--norc", "-s"],
    # Only an interactive zsh treats `#` as a word, as the zsh of a reader does.
    "zsh": ["zsh", "-f", "-i", "-s"],
}


@contextmanager
def server(switches: list[str], folder: Path) -> Iterator[str]:
    """Run `mock-server` with these switches on a free port; return `host:port`."""
    command = [str(Path(sys.executable).with_name("mock-server")), *switches, "--port", "0"]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.search(r"https?://(\S+)", line)
            assert found, f"{shlex.join(command)} did not start"
            yield found[1]
        finally:
            process.terminate()


@dataclass(frozen=True, slots=True)
class Walk:
    """One page in one shell, in an empty folder."""

    shell: str
    folder: Path
    shared_address: str  # Of the server that `mock-server` without switches stands for.

    def follow(self, page: list[Block]) -> None:
        """Raise AssertionError if a block fails or prints something else than the page says."""
        with ExitStack() as servers:
            addresses = list(self._addresses(page, servers))
            script = "set -e\nset -o pipefail\n" + "".join(
                self._step(number, block, address)
                for number, (block, address) in enumerate(zip(page, addresses, strict=True))
            )
            ended = subprocess.run(
                SHELLS[self.shell],
                input=script,
                cwd=self.folder,
                env=self._environment(),
                capture_output=True,
                text=True,
                check=False,
                timeout=10 * PATIENCE_S,
                start_new_session=True,
            )
        printed = [self._log(number) for number in range(len(page))]
        begun = [block for block, path in zip(page, printed, strict=True) if path.exists()]
        assert ended.returncode == 0, (
            f"{begun[-1].place if begun else self.shell} failed in {self.shell}: "
            f"{self._log(page.index(begun[-1])).read_text() if begun else ended.stderr}"
        )
        self._compare_outputs(page, addresses)

    def _addresses(self, page: list[Block], servers: ExitStack) -> Iterator[str]:
        """Yield the address of the server that each block uses."""
        address = self.shared_address
        for block in page:
            if block.kind is Kind.FILE:  # A server may read it at its start.
                self._write(block.file_name, block.text.replace(PRINTED_ADDRESS, address))
            if block.kind is Kind.SERVER:
                switches = block.server_switches
                address = (
                    servers.enter_context(server(switches, self.folder))
                    if switches
                    else self.shared_address
                )
            yield address

    def _step(self, number: int, block: Block, address: str) -> str:
        """Return the commands that do what the block says."""
        text = block.text.replace(PRINTED_ADDRESS, address)
        if block.kind is Kind.FILE:  # A page may change its file.
            version = self._write(f"../{self.folder.name}-{number}.file", text)
            return f"cp {version} {block.file_name}\n"
        if block.kind is Kind.PROGRAM:
            text = f"python {self._write(f'program{number}.py', text).name}\n"
        elif block.kind is not Kind.COMMANDS:
            return ""
        step = f"{{\n{text}\n}} </dev/null >{self._log(number)} 2>&1"
        return step + (f" || [ $? -eq {block.exit_status} ]\n" if block.exit_status else "\n")

    def _site(self) -> Path:
        site = self.folder.with_name(f"{self.folder.name}-site")
        site.mkdir(exist_ok=True)
        (site / "sitecustomize.py").write_text(SLEEP_IN_SANDBOX, "utf-8")
        return site

    def _write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    def _log(self, number: int) -> Path:
        return self.folder.with_name(f"{self.folder.name}-{number}.log")

    def _environment(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("APIXO_", "MOCK_SERVER_", "PYTEST_"))
        }
        return kept | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.folder),
            "COLUMNS": "100",
            "NO_COLOR": "1",
            "PS1": "",
            "PYTEST_ADDOPTS": "-p no:cacheprovider -p no:schemathesis",
            "PYTHONPATH": str(self._site()),
        }

    def _compare_outputs(self, page: list[Block], addresses: list[str]) -> None:
        for number, block in enumerate(page):
            if block.kind is not Kind.OUTPUT:
                continue
            printed = self._log(number - 1).read_text().replace(addresses[number], PRINTED_ADDRESS)
            pattern = ".*".join(map(re.escape, block.text.strip().split("…")))
            assert re.fullmatch(pattern, printed.strip(), re.DOTALL), (
                f"{block.place} says\n{block.text}\nbut {self.shell} printed\n{printed}"
            )
