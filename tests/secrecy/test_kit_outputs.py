"""No output of the contract kit shows an API key: not that of the user, and none of an audit.

A server and a client write the key wherever they can, in every form.
"""

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from contract_tests.command import cli
from mock_server.settings import Settings
from tests.contract_tests.audit_command.clients import CLIENT, SUBMIT
from tests.contract_tests.commands import contract_tests
from tests.contract_tests.mutants.harness import Mutant, serving
from tests.secrecy.key_echo import echo_key
from tests.secrecy.key_search import KEYS
from tests.secrecy.outputs import Outputs

SECOND_KEY = "sk-second/5Rw+2x=="
CASES = {
    "odd": (
        "--select",
        "S-ENV-001",
        "--select",
        "S-SUB-00*",
        "--select",
        "S-CB-001",
        "--select",
        "S-AUTH-*",
    ),
    "plain": ("--select", "S-ENV-00*", "--live", "--budget", "2"),
}
NAUGHTY = (
    CLIENT
    + """
from tests.secrecy.key_search import forms_of

key = os.environ["APIXO_API_KEY"]
forms = list(forms_of(key).values())
open(sys.argv[1], "a").write(key + "\\n")
print(*forms, sys.argv[3:], sep="\\n", flush=True)
print(*forms, sep="\\n", file=sys.stderr, flush=True)
for form in forms:
    with open(os.path.join(sys.argv[2], form.replace("/", "-")[:99]), "w") as file:
        file.write(form)
ask("/api/v1/apikeys/current-balance?key=" + key, **{"X-Key": forms[0], "X-Form": forms[-1]})
body = {"input": {"prompt": " ".join(forms)}, "request_type": "callback",
        "callback_url": f"http://127.0.0.1:9/?key={key}"}
headers = {"Content-Type": "application/json"}
ask("SUBMIT", json.dumps(body).encode(), **headers)
ask("SUBMIT", json.dumps(body | {"provider": key}).encode(), **headers)
raise RuntimeError(f"cannot go on with {key}")
""".replace("SUBMIT", SUBMIT)
)


class Kit:
    """The command, whose outputs are kept with the names of its commands."""

    def __init__(self, outputs: Outputs) -> None:
        self._outputs = outputs
        self.used: set[str] = set()

    def __call__(self, command: str, *words: str | Path, **variables: str) -> None:
        ended = contract_tests(command, *words, env=variables)
        assert ended.returncode in {0, 1, 3}, ended.stderr
        self._outputs.add(f"{command}: standard output", ended.stdout)
        self._outputs.add(f"{command}: standard error", ended.stderr)
        self.used.add(command)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    outputs: Outputs
    used: set[str]
    keys: set[str]
    files: set[str]


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """Run every command of the kit."""
    folder = tmp_path_factory.mktemp("kit")
    outputs = Outputs()
    kit = Kit(outputs)
    keys = {SECOND_KEY, *KEYS.values()}
    check_server(kit, folder)
    keys |= audit_client(kit, folder / "audit")
    kit("list")
    kit("list", "--audit", "--json")
    files = [path for path in folder.rglob("*") if "own" not in path.parts]
    outputs.add_files(files)
    return Ended(outputs=outputs, used=kit.used, keys=keys, files={path.suffix for path in files})


def check_server(kit: Kit, folder: Path) -> None:
    """Check a server that sends the key back, record it, and judge the recording again."""
    settings = Settings(clock="real", generation_time_ms=0, seed=7)
    mutant = Mutant(name="key-echo", clause="SUB-1", make=lambda: echo_key, settings=settings)
    with serving(mutant) as url:
        for name, key in KEYS.items():
            target = ("--base-url", url, *CASES[name])
            report = ("--report", folder / name, "--record", folder / f"{name}-tape")
            variables = {"APIXO_API_KEY": key, "APIXO_SECOND_API_KEY": SECOND_KEY}
            kit("plan", *target, **variables)
            kit("run", *target, *report, "--verbose", **variables)
    kit("run", "--replay", folder / "odd-tape", "--report", folder / "again")
    kit("diff", folder / "plain", folder / "odd")


def audit_client(kit: Kit, folder: Path) -> set[str]:
    """Audit a client that writes its key everywhere. Return the keys that it got."""
    own = folder / "own"
    own.mkdir(parents=True)
    (own / "client.py").write_text(NAUGHTY, "utf-8")
    words = [sys.executable, str(own / "client.py"), str(own / "keys")]
    command = f"{shlex.join(words)} {{out_dir}} {{api_key}} {{prompt}}"
    report = ("--report", folder / "report")
    kit(
        "audit",
        "--exec",
        command,
        "--select",
        "A-LIM-00[56]",
        *report,
        "-v",
    )
    kit("matrix", folder / "report", folder / "report", "--report", folder / "matrix")
    explored = ("--explore", "--budget", "5s", "--report", folder / "explored")
    kit("audit", "--exec", command, *explored)
    return {*(own / "keys").read_text("utf-8").split()}


def test_no_output_of_the_kit_contains_a_key(ended: Ended) -> None:
    assert len(ended.keys) > len(KEYS) + 1
    found = {key: ended.outputs.with_key(key) for key in ended.keys}

    assert {key: places for key, places in found.items() if places} == {}


def test_scenario_uses_every_command_and_every_kind_of_report(ended: Ended) -> None:
    assert ended.used == cli.commands.keys()
    assert {".json", ".xml", ".html", ".md"} <= ended.files
