"""The keys in Redis. All keys of one sandbox have the same hash tag: one slot of a cluster."""

PREFIX = "apixo-mock:"
SERVER = PREFIX + "server"  # The format, the seed and the catalogue, as JSON.
SANDBOXES = PREFIX + "sandboxes"  # A sorted set: when each sandbox was used, in real time.
DUE = PREFIX + "due"  # A sorted set: when a process must look at a sandbox, in real time.
PROCESSES = PREFIX + "processes"  # A set: the processes that have not removed themselves yet.
PLACES = PREFIX + "places"  # A hash: the task places of sandboxes and processes, see `accounts`.
RECOUNTED = PREFIX + "recounted"  # It exists for a while after a process has checked them.
METRICS = PREFIX + "metrics"  # A hash: the counters of each process.
SHARED = (SERVER, SANDBOXES, DUE, PROCESSES, PLACES, METRICS)

# Members of the sorted set `meta` of a sandbox.
EPOCH = "epoch"  # A random number. It differs if a sandbox was removed and created again.
CHECKPOINT = "checkpoint"  # The milliseconds of the id of the last checkpoint.
TRIMMED = "trimmed"  # The milliseconds of the ids before which the log was trimmed.


class SandboxKeys:
    """The keys of one sandbox."""

    __slots__ = ("checkpoints", "log", "meta")

    def __init__(self, sandbox_id: str) -> None:
        start = f"{PREFIX}{{{sandbox_id}}}:"
        self.log = start + "log"  # A stream of batches of commands.
        self.checkpoints = start + "checkpoints"  # A stream of the last two checkpoints.
        self.meta = start + "meta"

    @property
    def all(self) -> tuple[str, str, str]:
        return self.log, self.checkpoints, self.meta


def process_key(process: str) -> str:
    """Return the key that exists as long as a process is alive."""
    return f"{PREFIX}process:{process}"


def origin_key(origin: str) -> str:
    """Return the key of the set of sandboxes into which snapshots of this one were restored."""
    return f"{PREFIX}origin:{origin}"
