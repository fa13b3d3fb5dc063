"""From responses to rows: what is held out, what is left out and why, and how a step is shared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from students import TEXTS, TOKENIZER, make_settings

from alpacare.core.errors import BadInput
from alpacare.prompting.student_prompt import StudentPrompt
from alpacare.records.response import Response
from alpacare.training.data import held_out, prepare, shares


def response(name: str, asked: str, output: str, finish_reason: str = "stop") -> Response:
    return Response(
        id=name,
        instruction=asked,
        input="",
        output=output,
        finish_reason=finish_reason,  # type: ignore[arg-type]
        model="m",
        request="r",
    )


LONG = " ".join(TEXTS * 9)
RESPONSES = [
    response("fine", "ask", TEXTS[0]),
    response("long", "ask", LONG),
    response("nothing", "ask", "", "length"),
    response("lost", LONG, TEXTS[1]),
]
PROMPT = StudentPrompt("{instruction}: {input}", "{instruction}")


@pytest.mark.parametrize(
    ("too_long", "kept", "lost"),
    [
        ("truncate", 2, {"nothing": "no_response", "lost": "prompt_too_long"}),
        ("drop", 1, {"long": "too_long", "nothing": "no_response", "lost": "prompt_too_long"}),
    ],
)
def test_nothing_is_left_out_in_silence(too_long: str, kept: int, lost: dict[str, str]) -> None:
    data = prepare(RESPONSES, PROMPT, TOKENIZER, make_settings(too_long=too_long))
    assert {dropped.id: dropped.reason for dropped in data.lost} == lost
    assert len(data.examples) == kept
    assert all(example.prompt_length < len(example.ids) for example in data.examples)
    assert data.teachers == ["m"]


def test_when_nothing_fits_the_setting_is_named() -> None:
    with pytest.raises(BadInput, match=r"checkpoint.row_length, 96 tokens; raise it"):
        prepare(RESPONSES[3:], PROMPT, TOKENIZER, make_settings())


def test_most_of_what_is_held_out_stays_so_when_data_grows() -> None:
    few = [f"a{n}" for n in range(100)]
    chosen = held_out(few, 0.1)
    assert len(chosen) == 10
    assert held_out(few[::-1], 0.1) == chosen[::-1]
    more = held_out([*few, *(f"b{n}" for n in range(20))], 0.1)
    assert len(set(chosen) & set(more)) >= 7


@given(st.integers(1, 400), st.integers(1, 16), st.none() | st.integers(1, 64))
def test_a_step_is_shared_with_little_rounding(
    rows: int, processes: int, micro_rows: int | None
) -> None:
    at_once, turns = shares(rows, processes, micro_rows)
    assert at_once <= (micro_rows or rows)
    assert rows <= at_once * turns * processes < rows + (turns + 1) * processes
    if micro_rows:  # no device is given a row at a time because a number is prime
        assert (turns - 1) * micro_rows < -(-rows // processes)
