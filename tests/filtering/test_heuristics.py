"""Every heuristic by its name: what it must find, and good tasks that it must keep."""

# ruff: noqa: RUF001  (Greek letters are meant)
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpacare.core.errors import BadInput
from alpacare.core.settings import check
from alpacare.filtering.heuristics import HEURISTICS, HeuristicFilter
from alpacare.filtering.settings import HeuristicSettings

SEED = "Explain how aspirin works."
ALL = {
    "instruction_words": [2, 60],
    "input_words": [2, 80],
    "blocked_words": ["flowchart", "go to", "C++"],
    **dict.fromkeys(HEURISTICS[3:], True),
}


def heuristic_filter(**settings: Any) -> HeuristicFilter:
    return HeuristicFilter(check(settings, HeuristicSettings, "params.yaml: "), [("seed-1", SEED)])


def reason(instruction: str, input: str = "", **settings: Any) -> tuple[str, str] | None:
    return heuristic_filter(**settings or ALL).drop_reason(instruction, input)


FOUND = [
    ("instruction_words", "1 word", "Explain.", ""),
    ("instruction_words", "61 words", "word " * 61, ""),
    ("input_words", "1 word", "Explain the drug.", "aspirin"),
    ("input_words", "81 words", "Condense the report.", "word " * 81),
    ("blocked_words", "Flowchart", "Make a Flowchart of triage.", ""),
    ("blocked_words", "go to", "Say when to go\n to hospital.", ""),
    ("blocked_words", "C++", "Write C++ for a dose calculator.", ""),
    ("starts_with_punctuation", ".", ". Explain gout.", ""),
    ("starts_with_punctuation", "**", " **Explain gout**", ""),
    ("starts_with_punctuation", "-", "- Explain gout", ""),
    ("not_english", "解释什么是2型糖尿病", "解释什么是2型糖尿病", ""),
    (
        "not_english",
        "Что такое артериальная гипертензия?",
        "Что такое артериальная гипертензия?",
        "",
    ),
    ("not_english", "los, de, una", "Explique los síntomas de una neumonía.", ""),
    ("not_english", "quels, sont, les, du", "quels sont les signes du diabète ?", ""),
    ("not_english", "einem, das", "Erklären Sie einem Patienten das Risiko von Blutungen.", ""),
    ("not_english", "è, il, della", "Qual è il meccanismo della metformina?", ""),
    ("not_english", "são, os, da", "Quais são os sintomas da dengue?", ""),
    ("empty_input", "the following note", "Summarize the following note.", ""),
    ("empty_input", "passage below", "Use the passage below to answer.", " \n"),
    ("empty_input", "the given text", "Simplify the given text for a patient.", ""),
    ("empty_input", "this discharge letter", "Put this discharge letter in plain words.", ""),
    ("empty_input", "Based on these", "Based on these symptoms, name the likely diagnosis.", ""),
    ("empty_input", "Classify these", "Classify these drugs as antibiotics or antivirals.", ""),
    ("empty_input", "the attached x-ray", "What does the attached x-ray show?", ""),
    ("unfinished_input", "[Insert report here]", "Sum up the report.", "[Insert report here]"),
    ("unfinished_input", "<paste letter>", "Sum up the letter.", "<paste letter>"),
    ("unfinished_input", "see above", "Sum up the letter.", "see above"),
    ("unfinished_input", "[picture of the rash]", "Name the rash.", "[picture of the rash]"),
    ("unfinished_input", "{your ward note}", "Sum up the note.", "{your ward note}"),
    ("unfinished_input", "(no report yet)", "Sum up the report.", "(no report yet)"),
    ("unfinished_input", "N/A", "Sum up the following letter.", "N/A"),
    (
        "input_equals_instruction",
        "explain GOUT, briefly!",
        "Explain gout briefly.",
        "explain GOUT, briefly!",
    ),
    ("same_as_seed", "seed-1", "explain  how aspirin\nworks.", ""),
    (
        "answer_leaked",
        "Answer: B",
        "Choose one.",
        "Which is a statin?\nA. Aspirin\nB. Simvastatin\nAnswer: B",
    ),
    (
        "answer_leaked",
        "Correct answer is C.",
        "Choose one. Correct answer is C.",
        "A. x\nB. y\nC. z",
    ),
    (
        "answer_leaked",
        "Correct answer: simvastatin",
        "Name it.",
        "Which one?\nCorrect answer: simvastatin",
    ),
    (
        "answer_leaked",
        "B. Simvastatin (correct)",
        "Choose.",
        "A. Aspirin\nB. Simvastatin (correct)",
    ),
]


@pytest.mark.parametrize(("name", "proof", "instruction", "input"), FOUND)
def test_found(name: str, proof: str, instruction: str, input: str) -> None:
    only = {name: ALL[name]}
    assert reason(instruction, input, **only) == (name, proof)
    others = {other: value for other, value in ALL.items() if other != name}
    assert (reason(instruction, input, **others) or ("", ""))[0] != name


GOOD = [
    ("Summarize the following note.", "A man with gout rests at home today."),
    ("My ankle is swollen and red. What do these symptoms mean?", ""),
    ("Diagnose the following patient. A man of 45 has had fever, night sweats and weight loss"
     " for two months and coughs up blood.", ""),
    ("Grade folie de doute: mild, moderate, severe", ""),
    ("Read the gas.", "[Ventilated: pH 7.31, pCO2 55 mmHg, HCO3 27 mmol/L,"
     " lactate 1.2 mmol/L, FiO2 0.4]"),
    ("Interpret ABG: pH 7.31, pCO2 55", ""),
    ("AF, MI, Na 128, DAS28 5.1: rank by urgency", ""),
    ('"I feel dizzy since I take this drug." Reply as a nurse.', ""),
    (".5 mg or 5 mg of colchicine: which dose comes first?", ""),
    ("(For students) Why do loop diuretics lower potassium?", ""),
    ("Describe the image of a pneumothorax on a chest film and when to draw blood.", ""),
    ("Explain la belle indifférence and maladie de Raynaud per se.", ""),
    ("How do α-blockers differ from 5α-reductase inhibitors?", ""),
    ("Translate into English: 'Tome una pastilla cada día con la comida.'", ""),
    ("Translate the message.", "Me duele la cabeza desde el lunes por la noche, ¿qué hago?"),
    ("Answer the following question: what are the symptoms of influenza?", ""),
    ("Which of the following is a statin?\nA. Aspirin\nB. Simvastatin", ""),
    ("A man of 60 coughs up blood and has lost weight. Based on the above scenario, what now?", ""),
    ("If a woman complains about hair growth, acne and irregular periods, what do these symptoms"
     " suggest?", ""),
    ("What should be checked on the following day after a hip replacement?", ""),
    ("Following a fracture of the humerus a man cannot extend his wrist. Which nerve?", ""),
    ("Which veins drain the leg below the knee?", ""),
    ("What if potassium falls below 3 mmol/L or rises above 6 mmol/L?", ""),
    ("Name the disorder.", "pH 7.31, pCO2 55 mmHg, HCO3- 24, Cl-"),
    ("Choose the best drug.", "A man with gout. (A) Colchicine (B) Aspirin (C) Vitamin A"),
    ("Write the nurse's next turn.", "Patient: Should I wait until Monday?\nNurse:"),
    ("Which two do not go together?", "[lithium, ibuprofen, zinc]"),
    ("Give the mean glucose.", "[4.9, 6.1, 7.4]"),
    ("Which value is odd?", '{"Na": 118, "K": 4.1}'),
    ("Score the vital signs.", "RR 26; SpO2 90%; HR 118;"),
    ("What does this query count?", "SELECT count(*) FROM beds WHERE free = 'yes';"),
    ("Explain these tags.", "<ward> <bed>"),
    ("What is this?", "</b> </i>"),
    ("Read this Morse code.", "... --- ..."),
    ("Finish the sentence.", "When a fever lasts for more than a week, ask the"),
    ("Answer the question.", "The muscle that turns the eye outwards gets its fibres from the"),
    ("Give the cause.", "A man of 70 comes with a swollen knee, gout and a history of"),
    ("Debug it.", "def dose(weight):\n    return weight * 5 if weight and not None else the"),
    ("Write a program that prints the date.", "Not applicable"),
    ("Decode it.", "... ...."),
    ("Which tag is this?", "<video controls>"),
    ("How many words are there?", "[salt water]"),
    ("Shorten this form for the ward.", "Date: [insert date]\nNurse: [insert name]\nPulse:"),
    ("Name the risk.", "In the clinic his blood pressure was:"),
    ("Name the cause.", "Child with fever, cough,"),
    ("Complete the letter.", "Dear [Name],\nyour scan is normal."),
    ("Explain why the correct answer is C.", "What is it?\nB. Gout\nC. Pseudogout"),
    ("Say whether the answer is right.", "Which is a statin?\nA. Aspirin\nB. Zinc\nAnswer: B"),
    ("Answer: is it safe to take ibuprofen in pregnancy?", ""),
    ("Which answer is better?", "Option A. Rest and ice.\nOption B. Surgery at once."),
    ("Summarize the talk.", "Question: How are you?\nAnswer: A little better, thank you."),
]  # fmt: skip


@pytest.mark.parametrize(("instruction", "input"), GOOD)
def test_good_tasks_stay(instruction: str, input: str) -> None:
    assert reason(instruction, input) is None


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_text_is_read_and_all_heuristics_are_off_by_default(
    instruction: str, input: str
) -> None:
    assert HeuristicFilter(HeuristicSettings()).drop_reason(instruction, input) is None
    found = reason(instruction, input)
    assert found is None or (found[0] in HEURISTICS and found[1] == found[1].strip() != "")


def test_the_first_in_order_is_the_reason() -> None:
    assert reason("*", "*") == ("instruction_words", "1 word")
    settings = dict(list(ALL.items())[3:])
    assert reason("*", "*", **settings) == ("starts_with_punctuation", "*")


def test_lengths_at_the_limits_stay_and_an_empty_input_has_none() -> None:
    for words in (2, 5):
        assert reason("x " * words, "", instruction_words=[2, 5], input_words=[3, 4]) is None
    for words in (3, 4):
        assert reason("x x", "y " * words, input_words=[3, 4]) is None


@pytest.mark.parametrize("word", ["flowcharts", "ago to", "go too"])
def test_only_whole_words_are_blocked(word: str) -> None:
    assert reason(f"Explain {word} here", blocked_words=["flowchart", "go to"]) is None


def test_of_equal_seeds_the_first_is_named() -> None:
    seeds = [("a", "Explain gout"), ("b", "explain  GOUT")]
    assert HeuristicFilter(HeuristicSettings(same_as_seed=True), seeds).drop_reason(
        "EXPLAIN gout", ""
    ) == (
        "same_as_seed",
        "a",
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"instruction_words": [5, 2]}, "instruction_words: expected fewest and most words"),
        ({"input_words": [-1, 2]}, "input_words: expected fewest and most words"),
        ({"input_words": ["1", 2]}, "input_words.0: input should be a valid integer, found '1'"),
        ({"input_words": [1]}, "input_words.1: this key is missing"),
        ({"blocked_words": ["a", " "]}, "blocked_words: a blocked word is empty"),
        ({"not_englisch": True}, "not_englisch: unknown key; did you mean 'not_english'?"),
    ],
)
def test_wrong_settings_name_the_key(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput) as error:
        heuristic_filter(**settings)
    assert message in str(error.value)
