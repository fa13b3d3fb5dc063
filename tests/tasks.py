"""Tasks for tests: as many different ones as wanted."""

from alpacare.records.task import Instruction, Seed, row_id

FORM = "### Task\nType: chat\nTopic: t\nView: v\nDifficulty: 1\nInstruction: {}\nInput: <noinput>\n"
# Three tasks a reply, of which the filter keeps two; {seed} tells replies apart.
THREE_TASKS = "\n".join(
    FORM.format(text)
    for text in (
        "Explain how {seed}a comes with {seed}b in {seed}c.",
        "Explain how {seed}a comes with {seed}b in {seed}d.",
        "Name {seed}e.",
    )
)


def make_seeds(count: int) -> list[Seed]:
    return [
        Seed(
            id=row_id(f"Task {n}?", ""),
            instruction=f"Task {n}?",
            input="",
            type="chat",
            topic="Cardiology",
            view="patient",
            difficulty=1,
        )
        for n in range(count)
    ]


def make_instruction(text: str, input: str = "") -> Instruction:
    return Instruction(
        id=row_id(text, input),
        instruction=text,
        input=input,
        type="chat",
        topic="t",
        view="v",
        difficulty=1,
        request="r",
        index=0,
        seeds=[],
    )
