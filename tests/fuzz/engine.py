"""Fuzz one target with atheris until its time is over: `python -m tests.fuzz.engine NAME …`.

`tests/fuzz/__main__.py` starts it in a process of its own and passes switches of libFuzzer.
"""

import sys
from random import Random

import atheris

from tests.fuzz.json_mutation import mutate
from tests.fuzz.target import load

_PRODUCT = ["mock_server", "client_reference", "contract_tests", "apixo_testkit"]
_BY_MEMBER = 0.7  # The share of inputs that are changed as JSON, not as bytes.


def main() -> None:
    name = sys.argv[1]
    with atheris.instrument_imports(include=_PRODUCT):
        target = load(name)

    def custom_mutator(data: bytes, max_size: int, seed: int) -> bytes:
        rng = Random(seed)
        changed = mutate(data, rng) if rng.random() < _BY_MEMBER else None
        if changed is None or len(changed) > max_size:
            return bytes(atheris.Mutate(data, max_size))
        return changed

    switches = {"custom_mutator": custom_mutator} if target.is_json else {}
    command = f"{sys.executable} -m tests.fuzz.engine {name}"  # libFuzzer runs it again to merge.
    atheris.Setup([command, *sys.argv[2:]], target.check, **switches)
    atheris.Fuzz()


main()
