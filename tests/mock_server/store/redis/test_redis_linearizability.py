"""Commands of several processes take effect one after the other, between call and return."""

import asyncio
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import msgspec

from mock_server.domain.command_codec import decode_commands
from mock_server.domain.commands import FinishTask, Submit
from mock_server.domain.results import RejectionReason
from mock_server.domain.sandbox.sandbox import Sandbox
from mock_server.store.log_order import LogOrder
from tests.mock_server.store.redis.stores import TEMPLATE
from tests.mock_server.store.redis.worker import (
    MAX_CONCURRENT,
    PHASES,
    RATE_LIMIT,
    SANDBOX,
    Call,
    key_of,
    outcome_of,
)
from tests.redis_server import RedisServer

_ROOT = Path(__file__).parents[3]
_PROCESSES = 3


def worked(address: str) -> list[Call]:
    """Let several processes work at the same time; return what they did."""
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.mock_server.store.redis.worker", address, f"p{number}"],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(_PROCESSES)
    ]
    for _ in range(PHASES):
        for worker in workers:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "ready\n"
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write("\n")
            worker.stdin.flush()
    return [
        call
        for worker in workers
        for call in msgspec.json.decode(worker.communicate()[0], type=list[Call])
    ]


def test_limits_are_exact_for_processes_that_work_at_the_same_time(
    redis_server: RedisServer, runner: asyncio.Runner
) -> None:
    """A sequential model gives the same outcomes for the commands in the order of the log."""
    runner.run(redis_server.flush(0))
    calls = {call.key: call for call in worked(redis_server.address)}
    entries = runner.run(redis_server.send("XRANGE", f"apixo-mock:{{{SANDBOX}}}:log", "-", "+"))
    states = [fields[b"s"] for _, fields in entries if b"s" in fields]
    commands = [
        command
        for _, fields in entries
        if b"c" in fields
        for command in decode_commands(fields[b"c"])
    ]

    model, order = Sandbox.of_checkpoint(states[0], TEMPLATE), LogOrder()
    outcomes = {key_of(each): outcome_of(model.apply(order.placed(each))) for each in commands}
    assert outcomes == {key: call.outcome for key, call in calls.items()}

    in_order = [calls[key_of(command)] for command in commands]
    latest_call_ns = 0
    for call in in_order:  # No command precedes one that had returned before it was called.
        assert call.returned_ns > latest_call_ns
        latest_call_ns = max(latest_call_ns, call.called_ns)

    live, most, admitted = 0, 0, 0
    for command, call in zip(commands, in_order, strict=True):
        is_accepted = call.outcome.startswith("task_")
        admitted += call.outcome == RejectionReason.UNKNOWN_TASK
        if isinstance(command, Submit) and is_accepted:
            live, admitted = live + 1, admitted + 1
        elif isinstance(command, FinishTask) and is_accepted:
            live -= 1
        most = max(most, live)
    assert (most, admitted) == (MAX_CONCURRENT, RATE_LIMIT)
    assert {call.outcome for call in in_order} >= {
        RejectionReason.CONCURRENCY,
        RejectionReason.RATE_LIMIT,
    }
    owners = [call.key.split()[1].partition("-")[0] for call in in_order if "task_" not in call.key]
    assert sum(one != other for one, other in pairwise(owners)) > _PROCESSES, "they took turns"
