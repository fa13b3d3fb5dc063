"""A project whose answers are judged, of any size: what the stages would leave, written by hand."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random

from conftest import REPOSITORY

from alpacare.core import jsonl
from alpacare.evaluation.bootstrap import Resampling
from alpacare.evaluation.items import ORDERS
from alpacare.evaluation.score import JudgeRun
from alpacare.evaluation.scoring import ItemFacts, score_judgments
from alpacare.records.generation import Generation
from alpacare.records.judgment import Judgment, Verdict
from alpacare.records.task import TestTask, row_id

NASTY = (
    "<script>document.title='broken into'</script></script><!-- <img src=x onerror=alert(1)> &amp;"
)
# what a judge says of an item in both orders; the fifth cannot be read
SAID: tuple[tuple[Verdict | None, Verdict | None], ...] = (
    ("model", "model"), ("reference", "reference"), ("tie", "tie"), ("model", "reference"),
    ("reference", None),
)  # fmt: skip
PROSE = "the patient has a fever and pain in chest so we test blood give dose of drug daily"
ANSWER, REPLY = 180, 40  # words
HOW = Resampling(resamples=200, confidence=0.95, seed=0)


def write_settings(
    folder: Path, tests: Sequence[str], references: Sequence[str], judges: Sequence[str]
) -> None:
    """The checked-in settings, with other names in the matrix."""
    text = (REPOSITORY / "params.yaml").read_text()
    others = [name for name in references if name != "base"]
    for old, new in (
        ("tests: [demo]", f"tests: {list(tests)}"),
        ("written: [thorough, terse]", f"written: {others}"),
        ("  references: [thorough, terse, base]", f"  references: {list(references)}"),
        ("  judges: [overlap, longest]", f"  judges: {list(judges)}"),
        ("resamples: 2000", "resamples: 200"),
    ):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (folder / "params.yaml").write_text(text)
    (folder / "dvc.yaml").write_text((REPOSITORY / "dvc.yaml").read_text())


def write_project(
    folder: Path, tests: Mapping[str, int], references: Sequence[str], judges: Sequence[str]
) -> None:
    """So many tasks a test set; the first judge says SAID in turn, others the same one item later.

    Every text is longer than a line and differs; task 0 holds NASTY everywhere.
    """
    write_settings(folder, list(tests), references, judges)
    for test, count in tests.items():
        tasks = [make_task(test, number) for number in range(count)]
        jsonl.write(folder / f"data/tests/{test}.jsonl", tasks)
        ours = [answer(task, n, "student") for n, task in enumerate(tasks)]
        jsonl.write(folder / f"data/generations/{test}.jsonl", ours)
        for reference in references:
            theirs = [answer(task, n, reference) for n, task in enumerate(tasks)]
            base = reference == "base"
            where = (
                f"data/base_generations/{test}" if base else f"data/references/{test}/{reference}"
            )
            jsonl.write(folder / f"{where}.jsonl", theirs)
            pairs = {
                one.id: ItemFacts(len(one.output), len(other.output), task.difficulty, task.type)
                for one, other, task in zip(ours, theirs, tasks, strict=True)
            }
            for shift, judge in enumerate(judges):
                write_judged(folder, (test, reference, judge), tasks, shift, pairs)


def write_judged(
    folder: Path,
    cell: tuple[str, str, str],
    tasks: Sequence[TestTask],
    shift: int,
    pairs: Mapping[str, ItemFacts],
) -> None:
    rows = [
        Judgment(id=task.id, order=order, verdict=verdict, raw=reply(number, verdict), request="")
        for number, task in enumerate(tasks)
        for order, verdict in zip(ORDERS, SAID[(number + shift) % len(SAID)], strict=True)
    ]
    name = "/".join(cell)
    jsonl.write(folder / f"data/judgments/{name}.jsonl", rows)
    path = folder / f"metrics/scores/{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(score_judgments(rows, pairs, HOW, JudgeRun()).model_dump()))


def make_task(test: str, number: int) -> TestTask:
    instruction = f"{NASTY if number == 0 else ''} Task {number} of {test}. {prose(number, 25)}"
    input = prose(number + 1, 60) if number % 2 else ""
    return TestTask(
        id=row_id(instruction, input),
        instruction=instruction,
        input=input,
        type="chat",
        topic=NASTY if number == 0 else "Cardiology",
        view="patient",
        difficulty=None if number == 7 else 1 + number % 5,
    )


def answer(task: TestTask, number: int, who: str) -> Generation:
    return Generation(
        id=task.id,
        instruction=task.instruction,
        input=task.input,
        output=f"{who} says: {NASTY if number == 0 else ''} {prose(f'{who} {number}', ANSWER)}",
        generator=who,
        finish_reason="length" if number % 3 == 0 else "stop",
    )


def reply(number: int, verdict: Verdict | None) -> str:
    return f"{NASTY if number == 0 else ''} {prose(number, REPLY)} Verdict: {verdict}"


def prose(seed: object, words: int) -> str:
    """So many words of a doctor, always the same for one seed."""
    draw = Random(str(seed))
    known = PROSE.split()
    return " ".join(
        f"{draw.choice(known)}{draw.choice(('', '', '', ',', '.'))}" for _ in range(words)
    )
