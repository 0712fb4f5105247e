"""Run races of given seeds: `python -m tests.mock_server.races 17 --store redis --shorten`.

With `--shorten`, the steps of a seed that violates an invariant are left out until all are needed.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.mock_server.races.runs import Run, in_memory, with_redis, with_sqlite
from tests.mock_server.races.script import Script, draw
from tests.mock_server.races.shortening import shortened
from tests.redis_server import RedisServer, redis_binary


@contextmanager
def _run(store: str) -> Iterator[Run]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if store == "memory":
            with in_memory() as run:
                yield run
        elif store == "sqlite":
            with with_sqlite(folder / "race.db") as run:
                yield run
        else:
            redis = RedisServer(redis_binary(), folder, has_user=True)
            redis.start()
            try:
                with with_redis(redis.address) as run:
                    yield run
            finally:
                redis.stop()


def _show(script: Script) -> None:
    print(f"{len(script.steps)} steps:", *script.steps, sep="\n  ")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seeds", nargs="+", type=int)
    parser.add_argument("--store", choices=["memory", "sqlite", "redis"], default="memory")
    parser.add_argument("--shorten", action="store_true")
    options = parser.parse_args()
    status = 0
    with _run(options.store) as run:
        for seed in options.seeds:
            script = draw(seed)
            found = run(script)
            print(f"seed {seed}: {len(found)} violations", *found, sep="\n  ")
            if found:
                status = 1
                if options.shorten:
                    shortened(script, lambda each: bool(run(each)), _show)
    return status


if __name__ == "__main__":
    sys.exit(main())
