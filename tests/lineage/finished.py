"""A finished pipeline in a folder, without its minutes of training: real stages, fed by hand."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from conftest import REPOSITORY, run

from alpacare.compute import scratch
from alpacare.core import jsonl
from alpacare.core.settings import read_yaml
from alpacare.core.stage_entry import fill
from alpacare.records.generation import Generation
from alpacare.records.test_set import read_test_set
from alpacare.stages.filtered import main as filtered
from alpacare.stages.instructions import main as instructions
from alpacare.stages.llm_usage import main as usage
from alpacare.stages.responses import main as responses
from alpacare.stages.seeds import main as seeds

IN_GIT = ("params.yaml", "dvc.yaml", "prompts", "configs", "data/seeds", "data/tests",
          "data/benchmarks", "data/recordings", "data/imported/README.md",
          "data/categories", "students")  # fmt: skip
LONGEST = 200  # tokens of a row in training: some rows are longer


def make_project(folder: Path) -> Path:
    """Run the stages that are quick, and write what training and answering would leave."""
    for name in IN_GIT:
        copy = shutil.copytree if (REPOSITORY / name).is_dir() else shutil.copyfile
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        copy(REPOSITORY / name, folder / name)
    with inside(folder):
        edit("training_seeds: [0, 1]", "training_seeds: [0]")
        edit("contestants: [base]", "contestants: []")
        edit("references: [thorough, terse, base]", "references: [terse]")
        edit("local: [base]", "local: []")
        edit("head_to_head: half-rows", "head_to_head: all-rows")
        edit("judges: [overlap, longest]", "judges: [overlap]")
        _write_rows()
        for student in ("all-rows", "half-rows"):
            make("student_rows", student=student)
            _train(student)
            _answer(student)
        _compare()
    return folder


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def edit(old: str, new: str, path: str = "params.yaml") -> None:
    text = Path(path).read_text()
    assert old in text
    Path(path).write_text(text.replace(old, new, 1))


def stage(command: Any, *words: str) -> None:
    result = run(command, *words)
    assert result.exit_code == 0, result.output


def _write_rows() -> None:
    stage(seeds, "data/seeds/medical.jsonl", "data/seeds.jsonl", "--metrics", "metrics/seeds.json",
          "--table", "metrics/seeds.csv")  # fmt: skip
    paid = ["--dropped", "data/dropped/{}.jsonl", "--usage", "data/usage/{}.json", "--prompt",
            "prompts/{}", "--pack", "data/recordings/{}.jsonl"]  # fmt: skip
    written = [word.format("instructions") for word in paid]
    stage(instructions, "data/seeds.jsonl", "data/instructions.jsonl", *written)
    stage(filtered, "data/instructions.jsonl", "data/filtered.jsonl", "--dropped",
          "data/dropped/filtered.jsonl", "--metrics", "metrics/filtered.json", "--seeds",
          "data/seeds.jsonl", "--test-set", "data/tests")  # fmt: skip
    answered = [word.format("responses") for word in paid]
    stage(responses, "data/filtered.jsonl", "data/responses.jsonl", *answered)
    for name in ("instructions", "responses"):
        stage(usage, f"data/usage/{name}.json", f"metrics/llm_usage/{name}.json")


def make(name: str, **item: str) -> None:
    """Run a stage with its command in dvc.yaml, for one cell."""
    values = {**read_yaml(Path("params.yaml")), "item": item}
    _, _, module, *words = fill(read_yaml(Path("dvc.yaml"))["stages"][name]["cmd"], values).split()
    stage(import_module(module).main, *words)


def _train(student: str) -> None:
    """Leave what the stage `checkpoint` leaves, weights aside: one row dropped, one cut."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace

    folder = Path("models/checkpoint", student, "0")
    shutil.copytree("prompts/student", folder / "prompt")
    (folder / "prompt/form.txt").write_text("alpaca\n")
    words = Tokenizer(WordLevel({"[UNK]": 0, "<s>": 1, "</s>": 2}, unk_token="[UNK]"))
    words.pre_tokenizer = Whitespace()
    words.save(str(folder / "tokenizer.json"))
    names = {"bos_token": "<s>", "eos_token": "</s>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(names))
    file = Path(f"data/student_rows/{student}.jsonl")
    rows = [row for _, row in jsonl.read_objects(file)]
    lost = {"id": rows[0]["id"], "stage": "checkpoint", "reason": "prompt_too_long",
            "witness": rows[0]["request"], "score": None}  # fmt: skip
    (folder / "dropped.jsonl").write_text(json.dumps(lost) + "\n")
    settings = read_yaml(Path("params.yaml"))["checkpoint"]
    settings |= {"validation_ratio": 0.1, "max_seq_length": LONGEST}
    held = round(0.1 * (len(rows) - 1))
    counts = {"examples": len(rows) - 1 - held, "held_out": held, "truncated": 1, "dropped": 1}
    training = {"student": student, "settings": settings, "data": scratch.hash_files(file)}
    (folder / "training.json").write_text(json.dumps(training | counts))
    (folder / "versions.json").write_text(json.dumps({"torch": "9.9", "device": "cpu"}))
    curves = Path(f"metrics/training_curves/{student}/0.json")
    curves.parent.mkdir(parents=True)
    curves.write_text(json.dumps(counts))


def _answer(student: str) -> None:
    """Answer as `terse` does, but the second task not at all."""
    tests = read_test_set(Path("data/tests/demo.jsonl"))
    ours = [
        Generation(
            id=test.id,
            instruction=test.instruction,
            input=test.input,
            output="" if number == 1 else test.answers["terse"],
            generator=student,
            finish_reason="length" if number == 2 else "stop",
        )
        for number, test in enumerate(tests)
    ]
    out = Path(f"data/generations/demo/{student}/0.jsonl")
    jsonl.write(out, ours)
    versions = {"engine": "batched", "versions": {"torch": "9.9", "device": "cpu"}}
    out.with_suffix(".json").write_text(json.dumps(versions))


def _compare() -> None:
    """Have the students' answers compared with those of `terse`, and with one another."""
    Path("data/local_generations/demo").mkdir(parents=True)
    make("statistics")
    make("model_generations", test="demo")
    for student in ("all-rows", "half-rows"):
        for name in ("judgments", "scores"):
            make(name, test="demo", student=student, seed="0")
