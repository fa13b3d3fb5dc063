"""Replies as chatty models write them: the same two tasks, whatever is around and between them."""

import pytest

from alpacare.instructions.reply_parser import parse_reply

TASKS = [
    {
        "type": "multiple-choice QA",
        "topic": "Cardiology",
        "view": "medical student",
        "difficulty": 3,
        "instruction": "Choose the best next step.",
        "input": "Troponin I is 13.5 ng/mL.\n\nA. Rest\nB. Angiography",
    },
    {
        "type": "chat",
        "topic": "Vaccination",
        "view": "patient",
        "difficulty": 2,
        "instruction": "My baby has a fever. Is that normal?",
        "input": "",
    },
]
PLAIN = [
    """Type: multiple-choice QA
Topic: Cardiology
View: medical student
Difficulty: 3
Instruction: Choose the best next step.
Input: Troponin I is 13.5 ng/mL.

A. Rest
B. Angiography""",
    """Type: chat
Topic: Vaccination
View: patient
Difficulty: 2
Instruction: My baby has a fever. Is that normal?
Input: <noinput>""",
]
BOLD = """Certainly! Here are two new medical tasks:

---

### Task 1

**Type:** multiple-choice QA\x20\x20
**Topic:** Cardiology\x20\x20
**View:** medical student\x20\x20
**Difficulty:** 3/5\x20\x20
**Instruction:** Choose the best next step.\x20\x20
**Input:** Troponin I is 13.5 ng/mL.

A. Rest
B. Angiography

---

### Task 2

**Type:** chat
**Topic:** Vaccination
**View:** patient
**Difficulty:** 2/5
**Instruction:** My baby has a fever. Is that normal?
**Input:** *(no input)*"""
REPLIES = {
    "numbers and indented lines": """1. **Type:** multiple-choice QA
   **Topic:** Cardiology
   **View:** medical student
   **Difficulty:** 3
   **Instruction:** Choose the best next step.
   **Input:** Troponin I is 13.5 ng/mL.

   A. Rest
   B. Angiography

2. **Type:** chat
   **Topic:** Vaccination
   **View:** patient
   **Difficulty:** 2
   **Instruction:** My baby has a fever. Is that normal?
   **Input:** N/A""",
    "bullets": """#### Task 1: Cardiology
- **Type**: multiple-choice QA
- **Topic**: Cardiology
- **View**: medical student
- **Difficulty (1-5)**: 3
- **Instruction**: “Choose the best next step.”
- **Input**:
  Troponin I is 13.5 ng/mL.

  A. Rest
  B. Angiography

#### Task 2: Vaccination
- **Type**: chat
- **Topic**: Vaccination
- **View**: patient
- **Difficulty (1-5)**: 2
- **Instruction**: “My baby has a fever. Is that normal?”
- **Input**: “<noinput>”""",
    "numbered labels": """## Task 1
1. Type: multiple-choice QA
2. Topic: Cardiology
3. View: medical student
4. Difficulty: 3
5. Instruction: Choose the best next step.
6. Input: Troponin I is 13.5 ng/mL.

A. Rest
B. Angiography

## Task 2
1. Type: chat
2. Topic: Vaccination
3. View: patient
4. Difficulty: 2
5. Instruction: My baby has a fever. Is that normal?
6. Input: None""",
    "labels as headings": """# Task 1
## Type
multiple-choice QA
## Topic
Cardiology
## View
medical student
## Difficulty
3
## Instruction
Choose the best next step.
## Input
Troponin I is 13.5 ng/mL.

A. Rest
B. Angiography

# Task 2
## Type
chat
## Topic
Vaccination
## View
patient
## Difficulty
2
## Instruction
My baby has a fever. Is that normal?
## Input
<noinput>""",
    "short fields in one line": """**Task 1**
**Type:** multiple-choice QA | **Topic:** Cardiology | **View:** medical student | **Difficulty:** 3
**Instruction:** Choose the best next step.
**Input:** Troponin I is 13.5 ng/mL.

A. Rest
B. Angiography

**Task 2**
**Type:** chat | **Topic:** Vaccination | **View:** patient | **Difficulty:** 2
**Instruction:** My baby has a fever. Is that normal?
**Input:** <noinput>""",
    "a task in each line": """1. Type: multiple-choice QA Topic: Cardiology View: medical student \
Difficulty: 3 Instruction: Choose the best next step. Input: Troponin I is 13.5 ng/mL.

A. Rest
B. Angiography 2. Type: chat Topic: Vaccination View: patient Difficulty: 2 \
Instruction: My baby has a fever. Is that normal? Input: <noinput>""",
    "each task in its fence": """Task 1:
```
{}
```

Task 2:
```
{}
```
I hope these tasks help!""".format(*PLAIN),
    "numbers that go on from the prompt's": "\n".join(
        f"{number}. {task}" for number, task in enumerate(PLAIN, start=4)
    ),
    "hashes between": "\n###\n".join(PLAIN) + "\n###",
    "nothing between": "\n".join(PLAIN),
    "topics as headings": "### Cardiology\n{}\n\n### Vaccination\n{}".format(*PLAIN),
    "topics as bold headings": "**Cardiology**\n{}\n\n**Vaccination**\n{}".format(*PLAIN),
    "other words for task": "=== Question 1 ===\n{}\n\n=== Question 2 ===\n{}".format(*PLAIN),
    "bold lines": "### Task\n"
    + "\n\n### Task\n".join(PLAIN)
    .replace("Type: multiple-choice QA", "**Type: multiple-choice QA**")
    .replace("Type: chat", "**Type: chat**"),
    "full-width colons": "\n\n".join(PLAIN).replace(": ", "\uff1a"),
    "Windows line ends": BOLD.replace("\n", "\r\n"),
}
CLOSINGS = [
    "\n\n---\n\nLet me know if you'd like a different mix!",
    "\n\n*Note: All of the above tasks are free of real patient data.*",
    "\n\nThese two tasks cover cardiology and vaccination.\nNone repeats an example.",
    "\n\nI've made sure that the tasks differ in type.",
    "\n\n(End of tasks)",
]


@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES)
def test_the_tasks_come_back(reply: str) -> None:
    assert [task.fields for task in parse_reply(reply, "stop")] == TASKS


@pytest.mark.parametrize("closing", CLOSINGS)
def test_closing_words_are_no_input(closing: str) -> None:
    reply = "\n\n".join(reversed(PLAIN)) + closing
    assert [task.fields for task in parse_reply(reply, "stop")] == TASKS[::-1]


@pytest.mark.parametrize(
    "ending",
    ["Let me know how you are.", "All movements hurt.", "I hope that helps, Ann", "**Impression**"],
)
def test_the_end_of_a_letter_is_input(ending: str) -> None:
    for reply in (f"{PLAIN[0]}\n\n{ending}", f"{PLAIN[0]}\n\n{ending}\n\n{PLAIN[1]}"):
        assert parse_reply(reply, "stop")[0].fields["input"] == f"{TASKS[0]['input']}\n\n{ending}"


def test_json_cut_off_before_its_first_key_is_reported() -> None:
    reply = '[{"type": "chat", "topic": "x"}, {"ty'
    assert [task.reason for task in parse_reply(reply, "length")] == ["missing_field", "cut_off"]
