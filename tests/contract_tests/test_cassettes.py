"""A recording is judged again as the run was, with no network at all."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlencode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_tests.contract.errors import CassetteError
from contract_tests.contract.text import writable
from contract_tests.contract.verdicts import Verdict
from contract_tests.server import cassettes
from contract_tests.server.cassettes import ReplayWorld
from contract_tests.server.events import (
    Burst,
    Deliveries,
    Event,
    HttpExchange,
    Pause,
    Request,
    Response,
    build_request,
)
from contract_tests.server.probe import Probe
from contract_tests.server.runner import Runner
from tests.contract_tests.commands import contract_tests
from tests.contract_tests.fakes import OK, REGISTER, a_case, a_target, judged

SOME = ("--select", "S-ENV-*", "--select", "S-SUB-00*", "--select", "S-SUB-011")


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tape = tmp_path_factory.mktemp("few") / "tape"
    assert contract_tests("run", *SOME, "--record", tape).returncode == 0
    return tape


@pytest.fixture
def tape(few: Path, tmp_path: Path) -> Path:
    """Copy a recording of a few cases, to be damaged."""
    return Path(shutil.copytree(few, tmp_path / "tape"))


def test_what_a_recording_does_not_hold_cannot_be_judged(tape: Path) -> None:
    ended = contract_tests("run", "--replay", tape, "--select", "S-STA-*", is_watched=True)

    assert ended.returncode == 2
    assert "the recording has none of the selected cases" in ended.stderr


def test_a_recording_that_ends_too_early_is_an_error(tape: Path) -> None:
    (tape / "S-SUB-011.json").write_bytes(b"[]")
    ended = contract_tests("run", "--replay", tape, is_watched=True)

    assert ended.returncode == 3
    assert "ERROR        S-SUB-011" in ended.stdout
    assert "the recording does not continue with" in ended.stdout


def test_a_recording_of_another_request_is_an_error(tape: Path) -> None:
    shutil.copy(tape / "S-SUB-001.json", tape / "S-SUB-011.json")
    ended = contract_tests("run", "--replay", tape, is_watched=True)

    assert ended.returncode == 3
    assert "record it again" in ended.stdout


@pytest.mark.parametrize("name", ["cassette.json", "S-SUB-011.json"])
@pytest.mark.parametrize("content", [None, b"\xff", b'{"version": 1}'])
def test_a_damaged_recording_is_wrong_usage_and_says_which_file(
    tape: Path, name: str, content: bytes | None
) -> None:
    if content is None:
        (tape / name).unlink()
    else:
        (tape / name).write_bytes(content)
    ended = contract_tests("run", "--replay", tape, is_watched=True)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith(f"Error: {tape / name}: ")


def test_a_recording_of_another_version_says_so(tape: Path) -> None:
    cassette = cassettes.load_index(tape)
    cassettes.save_index(tape, msgspec.structs.replace(cassette, version=9))
    ended = contract_tests("run", "--replay", tape, is_watched=True)

    assert ended.returncode == 2
    assert "version 9 is not supported; must be 1" in ended.stderr


def test_a_recording_that_was_broken_off_is_none(tape: Path) -> None:
    cassettes.begin(tape)

    with pytest.raises(CassetteError, match=r"cassette\.json"):
        cassettes.load_index(tape)


@given(st.binary(max_size=80).filter(lambda content: content.strip() != b"[]"))
def test_any_bytes_that_are_no_recording_are_refused(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "S-SUB-901.json").write_bytes(content)
        with pytest.raises(CassetteError, match=r"S-SUB-901\.json: "):
            cassettes.load(Path(name), "S-SUB-901")


@pytest.mark.parametrize(
    "content",
    [b'[{"type":"burst","request":{"method":"\xe9"}}]', b"[" * 100_000],
    ids=["UTF-8", "depth"],
)
def test_a_recording_that_is_no_json_is_refused(tape: Path, content: bytes) -> None:
    """Found by fuzzing: msgspec raises an error of its own for bytes that are no UTF-8."""
    (tape / "S-SUB-901.json").write_bytes(content)

    with pytest.raises(CassetteError, match=r"S-SUB-901\.json: "):
        cassettes.load(tape, "S-SUB-901")


pairs = st.lists(st.tuples(st.text(), st.text()), max_size=2).map(tuple)
requests = st.builds(
    Request,
    method=st.sampled_from(["GET", "POST"]),
    path=st.text(),
    query=pairs,
    headers=pairs,
    body=st.binary(),
    key=st.sampled_from(["own", "other", "none"]),
)
responses = st.builds(
    Response,
    status=st.integers(0, 999),
    headers=pairs,
    body=st.binary(),
    error=st.none() | st.text(),
)
events = st.one_of(
    st.builds(HttpExchange, request=requests, response=responses),
    st.builds(
        Burst,
        request=requests,
        count=st.integers(0, 9),
        statuses=st.just(((200, 2), (429, 1))),
        last=responses,
    ),
    st.builds(Pause, seconds=st.floats(0, 9)),
    st.builds(Deliveries, name=st.text(), deliveries=st.just(())),
)


@given(st.lists(events, max_size=4).map(tuple))
def test_what_is_kept_comes_back(some: tuple[Event, ...]) -> None:
    with tempfile.TemporaryDirectory() as name:
        cassettes.save(Path(name), "S-SUB-901", some)

        assert cassettes.load(Path(name), "S-SUB-901") == some


def everything(probe: Probe) -> None:
    """Do all that a world can do."""
    answer = probe.send("GET", "/", query={"a": "b"}, headers={"X": "y"})
    probe.burst(Request(method="GET", path="/many"), 3)
    probe.pass_time(2.0)
    probe.script_receiver("hook", (500, 0.0))
    came = probe.await_deliveries("hook")
    probe.check("SUB-1", not came, expected="no callback", seen=answer)


def test_a_world_plays_back_all_that_a_case_can_do() -> None:
    case = a_case(everything)
    ran = judged(case)

    again = replaying(ran.events).run_case(case)

    assert ran.result.verdict is Verdict.PASS
    assert again.events == ran.events


@pytest.mark.parametrize("left_out", range(4))
def test_a_recording_that_lacks_a_step_is_an_error(left_out: int) -> None:
    case = a_case(everything)
    kept = [event for number, event in enumerate(judged(case).events) if number != left_out]

    result = replaying(kept).run_case(case).result

    assert result.verdict is Verdict.ERROR
    assert "record it again" in result.reason


@pytest.mark.parametrize(
    "changed",
    [
        {"method": "POST"},
        {"path": "/other"},
        {"query": (("a", "c"),)},
        {"headers": ()},
        {"body": b"x"},
        {"key": "none"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_recorded_request_that_differs_in_anything_is_an_error(
    changed: dict[str, object],
) -> None:
    case = a_case(everything)
    first, *rest = judged(case).events
    assert isinstance(first, HttpExchange)
    other = HttpExchange(request=msgspec.structs.replace(first.request, **changed), response=OK)

    result = replaying([other, *rest]).run_case(case).result

    assert result.verdict is Verdict.ERROR
    assert "record it again" in result.reason


def replaying(some: Sequence[Event]) -> Runner:
    return Runner(a_target(), REGISTER, lambda _: ReplayWorld(some), seed=1)


@given(text=st.text(st.characters(exclude_categories=())))
def test_request_for_any_id_that_a_server_returns_can_be_sent_and_recorded(text: str) -> None:
    """Before, an id with an unpaired surrogate ended checks and the recording with an error."""
    request = build_request("GET", f"/{text}", query={"taskId": text})

    assert urlencode(request.query)
    assert msgspec.json.encode(request)
    assert request.path[1:] == dict(request.query)["taskId"] == writable(text)
