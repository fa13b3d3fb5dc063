"""A project whose answers are judged, of any size: what the stages would leave, written by hand."""

import contextlib
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from random import Random

from conftest import REPOSITORY

from alpacare.core import jsonl
from alpacare.core.files import write_json
from alpacare.evaluation.bootstrap import Resampling
from alpacare.evaluation.items import ORDERS
from alpacare.evaluation.score import Cell, JudgeRun
from alpacare.evaluation.scoring import ItemFacts, score_judgments
from alpacare.pipeline import paths
from alpacare.pipeline.params import Params, Run, read_params
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


def write_settings(folder: Path, **changes: Sequence[str | int] | str) -> None:
    """The checked-in settings, with other names in the matrix, and a file a student."""
    text = (REPOSITORY / "params.yaml").read_text()
    for key, value in {**changes, "resamples": 200}.items():
        shown = value if isinstance(value, str | int) else list(value)
        text, found = re.subn(rf"(?m)^( *){key}: [^#\n]*", rf"\1{key}: {shown}  ", text, count=1)
        assert found, key
    (folder / "params.yaml").write_text(text)
    (folder / "dvc.yaml").write_text((REPOSITORY / "dvc.yaml").read_text())
    (folder / "students").mkdir(exist_ok=True)
    for student in changes["students"]:
        (folder / f"students/{student}.yaml").write_text("max_seq_length: 512\n")


def write_project(
    folder: Path,
    tests: Mapping[str, int],
    references: Sequence[str],
    judges: Sequence[str],
    *,
    students: Sequence[str] = ("all-rows",),
    seeds: Sequence[int] = (0,),
    contestants: Sequence[str] = (),
) -> None:
    """So many tasks a test set; the first judge says SAID in turn, others the same one item later.

    With another student or seed too, it is as many items later. The last student is also the
    reference head to head. Every text is longer than a line and differs; task 0 holds NASTY
    everywhere.
    """
    others = dict.fromkeys([*references, *contestants])
    write_settings(
        folder,
        tests=list(tests),
        students=students,
        training_seeds=seeds,
        written=[name for name in others if name != "base"],
        local=[name for name in others if name == "base"],
        contestants=contestants,
        references=references,
        head_to_head=students[-1],
        judges=judges,
    )
    with contextlib.chdir(folder):
        params = read_params()
        tasks = {test: [make_task(test, n) for n in range(count)] for test, count in tests.items()}
        for test, rows in tasks.items():
            jsonl.write(paths.test_set(test), rows)
            for name, seed in [*params.runs(), *((name, None) for name in others)]:
                said = [answer(task, n, name, seed) for n, task in enumerate(rows)]
                path = paths.answers(test, name, seed)
                jsonl.write(path, said)
                write_json(path.with_suffix(".json"), {"engine": "batched"})
        for cell in params.cells():
            write_judged(cell, tasks[cell.test], params)


def write_judged(cell: Cell, tasks: Sequence[TestTask], params: Params) -> None:
    shift = params.judgments.all_judges.index(cell.judge)
    if cell.seed is not None:
        shift += params.runs().index(Run(cell.model, cell.seed))
    rows = [
        Judgment(id=task.id, order=order, verdict=verdict, raw=reply(number, verdict), request="")
        for number, task in enumerate(tasks)
        for order, verdict in zip(ORDERS, SAID[(number + shift) % len(SAID)], strict=True)
    ]
    path = paths.judgments(cell)
    jsonl.write(path, rows)
    write_json(path.with_suffix(".json"), {"judge": cell.judge})
    seed = cell.seed if cell.reference in params.students else None
    answers = (
        jsonl.read(paths.answers(cell.test, *who), Generation)
        for who in ((cell.model, cell.seed), (cell.reference, seed))
    )
    pairs = {
        one.id: ItemFacts(len(one.output), len(other.output), task.difficulty, task.type)
        for one, other, task in zip(*answers, tasks, strict=True)
    }
    write_json(paths.score(cell), score_judgments(rows, pairs, HOW, JudgeRun()).model_dump())


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


def answer(task: TestTask, number: int, who: str, seed: int | None = None) -> Generation:
    voice = f"{who} {number} {seed or ''}"
    return Generation(
        id=task.id,
        instruction=task.instruction,
        input=task.input,
        output=f"{who} says: {NASTY if number == 0 else ''} {prose(voice, ANSWER)}",
        generator=who,
        finish_reason="length" if number % 3 == 0 else "stop",
    )


def reply(number: int, verdict: Verdict | None) -> str:
    return f"{NASTY if number == 0 else ''} {prose(number, REPLY)} Verdict: {verdict}"


@cache
def prose(seed: object, words: int) -> str:
    """So many words of a doctor, always the same for one seed."""
    draw = Random(str(seed))
    known = _split(PROSE)
    return " ".join(
        f"{draw.choice(known)}{draw.choice(('', '', '', ',', '.'))}" for _ in range(words)
    )


@cache
def _split(text: str) -> list[str]:
    return text.split()
