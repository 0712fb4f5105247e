"""The hash of all task places in Redis, and the commands that change it.

| field | value |
|---|---|
| a sandbox | the id of an entry of its log, and the number of its tasks after this entry |
| `process:ID` | when the process wrote this, and the number of places that it has reserved |
| `tasks`, `reserved` | the sums of both numbers, over all sandboxes and over all processes |

The number of tasks after an entry is the same in every process. So whoever writes it, and however
often, the hash becomes right, and never wrong again: a later entry replaces an earlier one. A
script changes the hash, so that the sums always fit.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from mock_server.store.redis.client import Command, Reply
from mock_server.store.redis.keys import PLACES

_PROCESS = "process:"
_SUMS = frozenset({"tasks", "reserved"})

# The arguments: limit, time to live; field of a process, instant, places that it still needs, and
# places that it wants in addition; for each sandbox its id, an entry of its log, number of tasks.
_ACCOUNT = """\
local key, limit, field = KEYS[1], tonumber(ARGV[1]), ARGV[3]
local needed, more = tonumber(ARGV[5]), tonumber(ARGV[6])
local tasks = tonumber(redis.call('HGET', key, 'tasks') or 0)
for i = 7, #ARGV, 3 do
  local stored = redis.call('HGET', key, ARGV[i]) or '0-0 0'
  local ms, number, count = string.match(stored, '(%d+)-(%d+) (%d+)')
  local new_ms, new_number = string.match(ARGV[i + 1], '(%d+)-(%d+)')
  local later = tonumber(new_ms) - tonumber(ms)
  if later > 0 or (later == 0 and tonumber(new_number) > tonumber(number)) then
    redis.call('HSET', key, ARGV[i], ARGV[i + 1] .. ' ' .. ARGV[i + 2])
    tasks = tasks + tonumber(ARGV[i + 2]) - tonumber(count)
  end
end
local own = tonumber(string.match(redis.call('HGET', key, field) or '0', '%d+$'))
local others = tonumber(redis.call('HGET', key, 'reserved') or 0) - own
local granted = math.max(math.min(own, needed), limit - tasks - others)
granted = math.min(granted, needed + more)
redis.call('HSET', key, 'tasks', tasks, 'reserved', others + granted)
redis.call('HSET', key, field, ARGV[4] .. ' ' .. granted)
redis.call('PEXPIRE', key, ARGV[2], 'NX')
redis.call('PEXPIRE', key, ARGV[2], 'GT')
return {granted, others}
"""

# The arguments: a field, the name of its sum, and the value that it must still have, if any.
_REMOVE = """\
local value = redis.call('HGET', KEYS[1], ARGV[1])
if not value or (ARGV[3] and value ~= ARGV[3]) then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('HINCRBY', KEYS[1], ARGV[2], -tonumber(string.match(value, '%d+$')))
return 1
"""


class TaskCount(NamedTuple):
    """The number of tasks of a sandbox after an entry of its log."""

    entry: bytes
    tasks: int


class Reservation(NamedTuple):
    """What Redis has granted to a process."""

    granted: int
    others: int  # The places that other processes have reserved.

    @classmethod
    def of(cls, reply: Reply) -> "Reservation":
        granted, others = reply
        return cls(granted, others)


class ProcessAccount(NamedTuple):
    """The account of a process, as it was read."""

    process: str
    settled_ms: int
    raw: bytes


class SandboxAccount(NamedTuple):
    """The account of a sandbox, as it was read."""

    sandbox_id: str
    raw: bytes


def account(
    process: str,
    needed: int,
    more: int,
    counts: Mapping[str, TaskCount],
    *,
    limit: int,
    settled_ms: int,
    ttl_ms: int,
) -> Command:
    """Return the command that writes counts, and reserves places for a process.

    Of what it has reserved, the process keeps what is still `needed`. It gets up to `more` places
    in addition, and never more than there are. The reply is a `Reservation`.
    """
    triples = (
        argument
        for sandbox_id, count in counts.items()
        for argument in (sandbox_id, count.entry, count.tasks)
    )
    of_process = (_PROCESS + process, settled_ms, needed, more)
    return ("EVAL", _ACCOUNT, 1, PLACES, limit, ttl_ms, *of_process, *triples)


def remove_sandbox(sandbox_id: str, seen: bytes | None = None) -> Command:
    """Return the command that frees the places of a sandbox, if its account is still `seen`."""
    return _remove(sandbox_id, "tasks", seen)


def remove_process(process: str, seen: bytes | None = None) -> Command:
    """Return the command that frees what a process has reserved, if its account is still `seen`."""
    return _remove(_PROCESS + process, "reserved", seen)


def _remove(field: str, name: str, seen: bytes | None) -> Command:
    arguments = (field, name) if seen is None else (field, name, seen)
    return ("EVAL", _REMOVE, 1, PLACES, *arguments)


def accounts_in(reply: Reply) -> tuple[list[ProcessAccount], list[SandboxAccount]]:
    """Return all accounts in the reply to `HGETALL`."""
    processes, sandboxes = [], []
    for name, raw in _pairs(reply):
        if name.startswith(_PROCESS):
            settled_ms, _ = raw.split()
            processes.append(ProcessAccount(name.removeprefix(_PROCESS), int(settled_ms), raw))
        elif name not in _SUMS:
            sandboxes.append(SandboxAccount(name, raw))
    return processes, sandboxes


def _pairs(reply: Reply) -> Iterable[tuple[str, bytes]]:
    for name, raw in zip(reply[::2], reply[1::2], strict=True):
        yield name.decode(), raw
