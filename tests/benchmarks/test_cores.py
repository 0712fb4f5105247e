"""The server and the load get a core each."""

import os

import pytest

from benchmarks.cores import Cores, bound_to, choose_cores, cores_of
from benchmarks.errors import BenchError


def test_the_first_two_usable_cores_are_the_default() -> None:
    assert cores_of(None, {5, 2, 3}) == Cores(server=2, load=3)


def test_named_cores_are_used_in_their_order() -> None:
    assert cores_of("5,2", {5, 2, 3}) == Cores(server=5, load=2)


def test_one_core_is_too_few() -> None:
    with pytest.raises(BenchError, match=r"two cores.*may use 1"):
        cores_of(None, {0})


@pytest.mark.parametrize("wanted", ["", "0", "0,1,2", "a,b", "0,-1", "0,0", "0,7"])
def test_invalid_cores_are_rejected_with_the_switch(wanted: str) -> None:
    with pytest.raises(BenchError, match=f'^--cores: must be .*"{wanted}"'):
        cores_of(wanted, {0, 1})


def test_system_without_affinity_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_setaffinity", raising=False)

    with pytest.raises(BenchError, match="Linux"):
        choose_cores(None)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs Linux")
def test_process_is_bound_within_the_block_only() -> None:
    before = os.sched_getaffinity(0)
    core = max(before)

    with bound_to(core):
        within = os.sched_getaffinity(0)

    assert within == {core}
    assert os.sched_getaffinity(0) == before
