"""Figures of answers, by answers of which they are known."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpacare.core import jsonl
from alpacare.core.errors import BadInput
from alpacare.records.generation import FinishReason, Generation
from alpacare.records.pairs import AnswerFiles
from alpacare.stages.scores import describe_answers
from alpacare.statistics.generations import describe_generations, ends_unfinished, repetition


def said(
    output: str, reason: FinishReason = "stop", tokens: int | None = 4, left_out: int = 0
) -> Generation:
    return Generation(
        id=output, instruction="i", input="", output=output, generator="g",
        finish_reason=reason, tokens=tokens, input_left_out=left_out,
    )  # fmt: skip


def test_every_figure_of_four_answers() -> None:
    four = [
        said("One two three."),
        said("and so on and", "length", 8),
        said(""),
        said("a b c d a b c d a b c d!", left_out=7),
    ]
    assert describe_generations(four, {"engine": "batched", "tokens_per_second": 900}) == {
        "answers": 4,
        "words": {"mean": 4.8, "median": 3.5, "most": 12},
        "tokens_mean": 5.0,
        "cut_off": 1,
        "cut_off_share": 0.25,
        "unfinished": 1,
        "unfinished_share": 0.25,
        "empty": 1,
        "repetition": 0.2222,  # of two answers with 4-grams: 0 of 1, 4 of 9
        "input_left_out": 1,
        "engine": "batched",
        "tokens_per_second": 900,
        "dollars": None,
    }


def test_what_is_not_known_is_null_and_no_zero() -> None:
    written = describe_generations([said("Hm.", "unknown", None)], {"engine": "written"})
    assert (written["cut_off"], written["cut_off_share"], written["tokens_mean"]) == (None,) * 3
    nobody = describe_generations([], {"engine": "written"})
    assert (nobody["answers"], nobody["words"]["mean"], nobody["unfinished_share"]) == (
        0,
        None,
        None,
    )


@pytest.mark.parametrize(
    ("text", "unfinished"),
    [
        ("Rest, and drink.", False),
        ("Rest, and", True),
        ("See a doctor (today)", False),
        ('She said "no"', False),
        ("**Rest**\n\n", False),
        ("1. Rest\n2. Drink plenty of", True),
        ("休息。", False),
        ("", False),
        (" \n", False),
    ],
)
def test_the_end_of_a_sentence(text: str, unfinished: bool) -> None:
    assert ends_unfinished(text) == unfinished


@given(st.lists(st.sampled_from("abc"), max_size=40))
def test_repetition_is_a_share(words: list[str]) -> None:
    share = repetition(" ".join(words))
    assert (share is None) == (len(words) < 4)
    assert share is None or 0 <= share < 1
    if len(set(words)) == 1 and len(words) >= 4:
        assert share == 1 - 1 / (len(words) - 3)


def test_a_file_that_is_no_run_is_refused(workspace: Path) -> None:
    jsonl.write(Path("a.jsonl"), [said("Hm.")])
    Path("a.json").write_text(json.dumps(["batched"]))
    with pytest.raises(BadInput, match=r"a.json: does not say how answers were made"):
        describe_answers(AnswerFiles((), Path("a.jsonl"), None))
