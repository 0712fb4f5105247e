"""What is written as a directive comes back, and nothing else of the prompt is touched."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.domain.directives import parse_directives, without_directives
from mock_server.domain.errors import InvalidRequest
from mock_server.domain.outcome import MEMBERS, Outcome
from tests.mock_server.domain.strategies import FAIL_MESSAGES, fail_codes, outcomes

texts = st.text(max_size=20).filter(lambda text: "[[" not in text)
blanks = st.sampled_from([" ", "\n", "\t ", "\u3000"])
needless = st.text("\n] =ae", max_size=3)
written_values = st.sampled_from(["{}", '"{}"'])


def quoted(text: str, needless: str) -> str:
    """Escape what must be escaped, and what need not be."""
    escaped = "".join(f"\\{char}" if char in f'"\\{needless}' else char for char in text)
    return f'"{escaped}"'


@st.composite
def tokens_of(draw: st.DrawFn, outcome: Outcome) -> list[str]:
    """Write every member that is asked for, in any order, bare or quoted."""
    written = []
    if outcome.fail is not None:
        written.append(f"fail={draw(written_values).format(outcome.fail)}")
    if outcome.message is not None:
        written.append(f"message={quoted(outcome.message, draw(needless))}")
    for name, value in (("pending", outcome.pending_ms), ("processing", outcome.processing_ms)):
        if value is not None:
            written.append(f"{name}={draw(written_values).format(f'{value}ms')}")
    if outcome.polls is not None:
        written.append(f"polls={draw(written_values).format(outcome.polls)}")
    if outcome.hold:
        written.append("hold")
    return draw(st.permutations(written))


@st.composite
def prompts(draw: st.DrawFn) -> tuple[str, str, Outcome]:
    """Draw a prompt, what is around its directives, and what they ask for."""
    outcome = draw(outcomes())
    around = draw(texts)
    prompt = around
    directives: list[list[str]] = [[]]
    for token in draw(tokens_of(outcome)):
        if draw(st.booleans()):
            directives.append([])
        directives[-1].append(token)
    for tokens in directives:
        text = draw(texts)
        blank = draw(blanks)
        end = draw(st.sampled_from(["", " ", "\n"]))
        prompt += "[[mock" + "".join(blank + token for token in tokens) + end + "]]" + text
        around += text
    return prompt, around, outcome


@given(prompts())
def test_any_members_in_any_text_come_back(written: tuple[str, str, Outcome]) -> None:
    prompt, _, outcome = written

    assert parse_directives(prompt, FAIL_MESSAGES) == outcome


@given(prompts())
def test_the_text_without_directives_is_what_was_around(
    written: tuple[str, str, Outcome],
) -> None:
    prompt, around, _ = written

    assert without_directives(prompt) == around.strip()


@given(st.text(max_size=30).filter(lambda text: "[[mock" not in text))
def test_a_prompt_without_directives_is_left_alone(prompt: str) -> None:
    assert parse_directives(prompt, FAIL_MESSAGES) is None
    assert without_directives(prompt) == prompt


@pytest.mark.parametrize(
    "prompt",
    ["a [[mockery]] of a fox", "[[mock:hold]]", "[[Mock hold]]", "[mock hold]", "[[ mock hold]]"],
)
def test_what_only_looks_alike_is_no_directive(prompt: str) -> None:
    assert parse_directives(prompt, FAIL_MESSAGES) is None
    assert without_directives(prompt).strip() == prompt


@given(fail_codes, fail_codes)
def test_a_member_that_stands_twice_counts_as_it_stands_last(first: str, last: str) -> None:
    prompt = f"[[mock fail={first} polls=1]] a fox [[mock fail={last}]]"

    assert parse_directives(prompt, FAIL_MESSAGES) == Outcome(fail=last, polls=1)


@given(st.text(max_size=60))
def test_any_text_behind_the_opening_is_read_or_refused(text: str) -> None:
    for prompt in (f"[[mock {text}", f"[[mock {text}]]"):
        with suppress(InvalidRequest):
            assert parse_directives(prompt, FAIL_MESSAGES) is not None
        with suppress(InvalidRequest):
            assert len(without_directives(prompt)) < len(prompt)


@given(st.sampled_from(MEMBERS), st.data())
def test_a_misspelt_member_is_refused_with_the_nearest_known_one(
    member: str, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(member) - 1))
    misspelt = member[:at] + member[at + 1 :]

    with pytest.raises(InvalidRequest) as refusal:
        parse_directives(f"a fox [[mock {misspelt}=1]]", FAIL_MESSAGES)

    assert str(refusal.value) == (
        f'input.prompt: directive {misspelt}: is unknown; did you mean "{member}"?'
    )


@given(fail_codes, st.data())
def test_a_misspelt_fail_code_is_refused_with_the_nearest_known_one(
    code: str, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(code) - 1))
    misspelt = code[:at] + code[at + 1 :]

    with pytest.raises(InvalidRequest) as refusal:
        parse_directives(f"a fox [[mock fail={misspelt}]]", FAIL_MESSAGES)

    assert str(refusal.value) == (
        f'input.prompt: directive fail: "{misspelt}" is unknown; did you mean "{code}"?'
    )


@pytest.mark.parametrize(
    ("directive", "member"),
    [
        ("fail", "fail"),
        ("fail=", "fail"),
        ("fail=content_violation", "fail"),
        ("pending", "pending"),
        ("pending=soon", "pending"),
        ("processing=-1s", "processing"),
        ("processing=100000000000d", "processing"),
        ("polls", "polls"),
        ("polls=0", "polls"),
        ("polls=1.5", "polls"),
        ("polls=1000001", "polls"),
        ("hold=1", "hold"),
        ("hold=", "hold"),
        ("message=sorry", "message"),
        (f"fail=NSFW message={'a' * 1001}", "message"),
        ("zzz", "zzz"),
    ],
)
def test_a_wrong_value_is_refused_with_its_member(directive: str, member: str) -> None:
    with pytest.raises(InvalidRequest, match=f"^input.prompt: directive {member}: "):
        parse_directives(f"[[mock {directive}]]", FAIL_MESSAGES)


def test_a_number_that_is_too_long_is_refused_with_its_member() -> None:
    with pytest.raises(InvalidRequest, match=r"^input.prompt: directive polls: "):
        parse_directives(f"[[mock polls={'9' * 5000}]]", FAIL_MESSAGES)


@pytest.mark.parametrize(
    "prompt",
    ["[[mock", "[[mock hold", "[[mock hold]", '[[mock message="', "[[mock =2]]", "[[mock hold]x]"],
)
def test_a_directive_that_cannot_be_read_shows_how_one_is_written(prompt: str) -> None:
    with pytest.raises(InvalidRequest, match=r"is invalid; write \[\[mock fail=CODE"):
        parse_directives(prompt, FAIL_MESSAGES)
