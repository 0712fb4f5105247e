"""Chance is a function: a draw is always the same, and looks random."""

from hashlib import blake2b

from hypothesis import given
from hypothesis import strategies as st

from mock_server.domain.chance import draw, two_uniforms
from tests.mock_server.domain.strategies import ordinals, sandbox_ids, seeds


@given(st.binary(min_size=8, max_size=16) | st.sampled_from([bytes(8), b"\xff" * 8]))
def test_a_number_lies_between_0_and_1_both_excluded(drawn: bytes) -> None:
    assert all(0 < number < 1 for number in two_uniforms(drawn))


@given(seeds, sandbox_ids, ordinals)
def test_a_draw_is_always_the_same_for_the_same_four(
    seed: int, sandbox_id: str, ordinal: int
) -> None:
    drawn = draw(seed, sandbox_id, ordinal, "task")

    assert drawn == draw(seed, sandbox_id, ordinal, "task")
    assert drawn != draw(seed, sandbox_id, ordinal, "result 1")
    assert len(drawn) == 16


@given(seeds, sandbox_ids, ordinals, st.text(max_size=20))
def test_draw_is_the_hash_of_the_four_with_colons_between(
    seed: int, sandbox_id: str, ordinal: int, purpose: str
) -> None:
    joined = f"{seed}:{sandbox_id}:{ordinal}:{purpose}".encode()

    assert draw(seed, sandbox_id, ordinal, purpose) == blake2b(joined, digest_size=16).digest()


def test_two_numbers_of_one_draw_do_not_hang_together() -> None:
    pairs = [two_uniforms(draw(7, "a", turn, "task")) for turn in range(4000)]

    quarters = [(first < 0.5, second < 0.5) for first, second in pairs]
    assert all(900 < quarters.count(quarter) < 1100 for quarter in set(quarters))
