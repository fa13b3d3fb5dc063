"""Every way of writing a type, a difficulty or "no input" becomes one label."""

import json
from typing import get_args

import pytest

from alpacare.records.label_normalisation import (
    normalise_difficulty,
    normalise_input,
    normalise_type,
)
from alpacare.records.task import TaskType


@pytest.mark.parametrize(
    "text",
    [
        *("<noinput>", '"<noinput>"', "N/A", "none", "No input", "", "NA.", "null", "-", "\u2014"),
        *("**<noinput>**", "\\<noinput\\>", "<no_input/>", "<noinput> (it stands alone)"),
        *(
            "N/A (no input needed)",
            "None required.",
            "*(no input)*",
            "No additional input",
            "(empty)",
        ),
        *("<noinput>\nOutput: Yes.", "&lt;noinput&gt;", "NaN"),
    ],
)
def test_ways_of_saying_no_input(text: str) -> None:
    assert normalise_input(text) == ""


@pytest.mark.parametrize(
    "text",
    [
        "DNA is copied.",
        "None of the above applies",
        "Na 128 mmol/L",
        "No input from the pump",
        "NA (1)\nK",
        *("... --- ...", ">", "[]", "*\n**\n***", "?", "&", "Nan, 3 years old"),
    ],
)
def test_real_inputs_are_no_placeholders(text: str) -> None:
    assert normalise_input(text) == text


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Open Q&A", "open QA"),
        ("Open-ended Q&A", "open QA"),
        ("Multiple-choice Q&A", "multiple-choice QA"),
        ("Multiple-Hop Reasoning", "multi-hop reasoning"),
        ("Multi-hop reasoning", "multi-hop reasoning"),
        ("Single Hop Reasoning", "single-hop reasoning"),
        ("USMLE style Q&A", "USMLE-style QA"),
        ("Rewrites", "rewriting"),
        ("Summarizations", "summarization"),
        ("Classification Task", "classification"),
        ("multi-label classification", "classification"),
        ("multi-turn chat", "chat"),
        ("single best answer", None),
        ("case discussion", None),
    ],
)
def test_type_labels(text: str, name: str | None) -> None:
    assert normalise_type(text) == name


@pytest.mark.parametrize("name", get_args(TaskType))
def test_canonical_types_map_to_themselves(name: str) -> None:
    assert normalise_type(name) == normalise_type(json.loads(json.dumps(name))) == name


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (3, 3),
        ("3", 3),
        ("3/5", 3),
        ("Level 4", 4),
        (0, None),
        ("6", None),
        (True, None),
        ("-3", None),
        ("1.5", None),
        ("2-3", None),
        ("3 (practical)", 3),
        ("3/5 (moderate)", 3),
        ("3 \u2013 practical advice", 3),
        ("**4**", 4),
        ("[5].", 5),
        ("2 out of 5", 2),
        ("2 out of 10", None),
        ("3/10", None),
        ("2\u20133", None),
        ("2 or 3", None),
        (3.0, 3),
        (None, None),
        ([], None),
    ],
)
def test_difficulties(value: object, number: int | None) -> None:
    assert normalise_difficulty(value) == number
