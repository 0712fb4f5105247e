"""Snapshots: what is restored can be shown, and is exported so that it is restored the same."""

import json

import msgspec

from mock_server.catalogue_files import load_catalogue
from mock_server.control.har import har
from mock_server.control.journal_entry import JournalEntry
from mock_server.control.task_summary import TaskSummary
from mock_server.control.timeline import explain, timeline
from mock_server.domain.commands import Restore, TakeSnapshot
from mock_server.domain.errors import InvalidValue
from mock_server.domain.ports import DeliveryResult
from mock_server.domain.sandbox.sandbox import Sandbox
from mock_server.domain.sandbox.state import SandboxTemplate
from mock_server.domain.sandbox_settings import ClockSettings, SandboxSettings
from mock_server.domain.snapshot import parse_snapshot
from mock_server.settings import Settings
from mock_server.web import envelope
from tests.fuzz.generators import HARD_JSON, filled, numbered
from tests.fuzz.target import LONGEST_ERROR, Target
from tests.mock_server.domain.driven import Driven, parsed, run
from tests.mock_server.domain.steps import callback_task, deliver, record

_CATALOGUE = load_catalogue(Settings())
_REAL_MS = 1_800_000_000_000
_TEMPLATE = SandboxTemplate(
    seed=7,
    settings=SandboxSettings(),
    clock=ClockSettings(),
    models=_CATALOGUE.models,
    fail_messages=_CATALOGUE.fail_messages,
)


def _new_sandbox() -> Sandbox:
    return Sandbox("0" * 16, _TEMPLATE, is_broke=False, real_ms=_REAL_MS)


def _handle(raw: bytes) -> None:
    try:
        snapshot = parse_snapshot(raw, _CATALOGUE)
        _new_sandbox().apply(Restore(real_ms=_REAL_MS, snapshot=snapshot))
    except InvalidValue:
        pass


def _check(raw: bytes) -> None:
    try:
        snapshot = parse_snapshot(raw, _CATALOGUE)
    except InvalidValue as error:
        assert len(str(error)) < LONGEST_ERROR, "the error repeats the snapshot"
        return
    sandbox = _new_sandbox()
    sandbox.apply(Restore(real_ms=_REAL_MS, snapshot=snapshot))
    exported = _exported(sandbox)
    _show(sandbox)
    again = _new_sandbox()
    again.apply(Restore(real_ms=_REAL_MS, snapshot=parse_snapshot(exported, _CATALOGUE)))
    assert _without_id(_exported(again)) == _without_id(exported)


def _exported(sandbox: Sandbox) -> bytes:
    return msgspec.json.encode(sandbox.apply(TakeSnapshot(real_ms=_REAL_MS)).snapshot())


def _without_id(exported: bytes) -> object:
    """Leave out the id: it is the sandbox from which it was taken."""
    document = json.loads(exported)
    del document["id"]
    return document


def _show(sandbox: Sandbox) -> None:
    """Show all of a sandbox as the control plane and the provider's endpoints do."""
    tasks, now_ms = sandbox.tasks(_REAL_MS)
    for task in tasks:
        json.loads(envelope.status(task, now_ms, sandbox))
        msgspec.json.encode(TaskSummary.of(task, now_ms, sandbox.seed))
        msgspec.json.encode([explain(task), timeline(task, now_ms, [])])
    entries = [JournalEntry.of(number, entry) for number, entry in sandbox.entries()]
    msgspec.json.encode(entries)
    msgspec.json.encode(har(entries))
    msgspec.json.encode(sandbox.clock(_REAL_MS))
    due_ms = sandbox.next_due_ms()
    assert due_ms is None or sandbox.real_wait_s(due_ms, _REAL_MS) is not None
    b"".join(sandbox.checkpoint())


def _seeds() -> list[bytes]:
    rule = parsed({"match": {"prompt": "fox"}, "apply": {"latency": "2s"}})
    busy = run(Driven(), [callback_task(0), deliver(DeliveryResult(status=500)), record(200)])
    with_rules = Driven()
    with_rules.sandbox._state.book.add(rule)
    with_rules.sandbox._state.book.put_next(rule, 2)
    run(with_rules, [callback_task(5_000)])
    return [Driven().document(), busy.document(), with_rules.document()]


def _around(member: str) -> tuple[bytes, bytes]:
    """Return what stands before and after a member of an empty snapshot."""
    document = {**json.loads(Driven().document()), member: "HERE"}
    before, _, after = json.dumps(document).encode().partition(b'"HERE"')
    return before, after


_TO_RULES, _FROM_RULES = _around("rules")
_TO_TIMES, _FROM_TIMES = _around("admitted_ms")
_TO_RESPONSES, _FROM_RESPONSES = _around("responses")
_TO_TASKS, _FROM_TASKS = _around("tasks")
_RULE = b'{"id":"r","written":{"apply":{"wire":"close"}}}'

TARGET = Target(
    check=_check,
    handle=_handle,
    seeds=_seeds,
    is_json=True,
    worst=HARD_JSON
    | {
        "rules": filled(
            _TO_RULES + b'{"made":1,"profile":[],"queue":[],"own":[',
            _RULE + b",",
            _RULE + b"]}" + _FROM_RULES,
            most=1_000,
        ),
        "counters of a rule": numbered(
            _TO_RULES + b'{"made":1,"profile":[],"queue":[],"own":[' + _RULE[:-1] + b',"hits":{',
            b'"s%d":1,',
            b'"":1}}]}' + _FROM_RULES,
        ),
        "admitted requests": filled(_TO_TIMES + b"[", b"1,", b"1]" + _FROM_TIMES),
        "statuses": numbered(_TO_RESPONSES + b"{", b'"%d":1,', b'"200":1}' + _FROM_RESPONSES),
        "tasks": filled(_TO_TASKS + b"[", b"{},", b"{}]" + _FROM_TASKS),
    },
)
