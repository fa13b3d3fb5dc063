"""Root verb and direct object: against labels by hand, and the rule's clauses one by one."""

import json
from pathlib import Path

import pytest

from alpacare.statistics.verbs import root_verb, singular

# Sixty of this project's own instructions, those with the smallest ids, labelled before the rule
# was tried on them; it had 58 right at first.
LABELLED = [
    json.loads(line)
    for line in Path(__file__).with_name("labelled_verbs.jsonl").read_text().splitlines()
]


def test_the_rule_agrees_with_a_reader() -> None:
    wrong = [
        row for row in LABELLED if root_verb(row["instruction"]) != (row["verb"], row["object"])
    ]
    assert len(LABELLED) == 60
    assert 1 - len(wrong) / 60 >= 0.85, wrong


@pytest.mark.parametrize(
    ("instruction", "verb", "noun"),
    [
        ("List three signs of shock.", "list", "sign"),
        ("Please briefly summarize the note below.", "summarize", "note"),
        ("Given the note below, list the problems.", "list", "problem"),
        ("A man of 60 has chest pain. Name the next test.", "name", "test"),
        ("Could you explain this result?", "explain", "result"),
        ("Tabulate the doses.", "tabulate", "dose"),  # a verb that no list holds
        ("Explain how statins work.", "explain", None),
        ("Reply to the patient's message.", "reply", None),
        ("Give me a list of foods.", "give", "list"),
        ("Give the patient a short, friendly plan.", "give", "plan"),
        ("Classify each of the symptoms described below.", "classify", "symptom"),
        ("Write an essay explaining the pathophysiology of gout.", "write", "essay"),
        ("Work out the dose.", "work", "dose"),
        ("What is the mechanism of aspirin?", None, None),
        ("Which one fits?\nA. Start heparin\nB. Give fluids", None, None),
        ("Which one fits? (A) Start heparin (B) Give fluids", None, None),
        ("Summarize this patient\u2019s \u201cchart\u201d.", "summarize", "chart"),
        ("\u4e3a\u4ec0\u4e48?", None, None),
        ("...", None, None),
        ("Explain", "explain", None),
    ],
)
def test_the_rule(instruction: str, verb: str | None, noun: str | None) -> None:
    assert root_verb(instruction) == (verb, noun)


@pytest.mark.parametrize(
    ("plural", "one"),
    [
        ("signs", "sign"),
        ("therapies", "therapy"),
        ("diagnoses", "diagnosis"),
        ("classes", "class"),
        ("diabetes", "diabetes"),
        ("virus", "virus"),
        ("children", "child"),
        ("gas", "gas"),
    ],
)
def test_singular(plural: str, one: str) -> None:
    assert singular(plural) == one
