"""Tiny models that answer, and test sets for them."""

import json
import random
from pathlib import Path
from typing import Any

import torch
from conftest import REPOSITORY, run

from alpacare.core import jsonl
from alpacare.core.settings import read_yaml
from alpacare.prompting.student_prompt import StudentPrompt
from alpacare.records.generation import Generation
from alpacare.records.task import TestTask, row_id
from alpacare.stages.generations import main as generations
from alpacare.stages.server_generations import main as server_generations
from alpacare.training.base_model import random_llama, train_tokenizer
from alpacare.training.settings import Architecture, BaseModelSettings

WORDS = [
    "ask",
    "a",
    "doctor",
    "about",
    "the",
    "heart",
    "now",
    "and",
    "then",
    "wait",
    "for",
    "an",
    "answer",
    "to",
    "every",
    "question",
]
CHAT = (
    "{{ bos_token }}{% for each in messages %}<{{ each['role'] }}>{{ each['content'] }}"
    "{% endfor %}{% if add_generation_prompt %}<answer>{% endif %}"
)
SIZE = Architecture(hidden_size=32, layers=2, heads=2, vocab_size=300, context=512)


def make_checkpoint(folder: Path, *, seed: int = 1, chat: bool = False) -> Path:
    """A model with weights so large that its answers differ, some of which end by themselves."""
    tokenizer = train_tokenizer([" ".join(WORDS)] * 3, 300)
    if chat:
        tokenizer.chat_template = CHAT
    model = random_llama(BaseModelSettings(architecture=SIZE, seed=seed), tokenizer)
    with torch.no_grad():
        for weights in model.parameters():
            if weights.ndim > 1:
                weights *= 8
        model.get_input_embeddings().weight[tokenizer.eos_token_id] *= 1.6  # type: ignore[operator]
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    form = "chat" if chat else "alpaca"
    StudentPrompt.choose(form, REPOSITORY / "prompts/student").save(folder / "prompt")
    (folder / "training.json").write_text(json.dumps({"student": "student", "seed": 0}))
    return folder


def make_tests(count: int, seed: int = 0, most: int = 60) -> list[TestTask]:
    """Tasks of very different lengths, every second with an input."""
    draw = random.Random(seed)
    tasks = []
    for number in range(count):
        words = draw.choices(WORDS, k=draw.randint(1, most))
        instruction = f"{number} " + " ".join(words)
        input = " ".join(draw.choices(WORDS, k=draw.randint(1, 20))) if number % 2 else ""
        id = row_id(instruction, input)
        tasks.append(TestTask(id=id, instruction=instruction, input=input))
    return tasks


def set_params(**changes: Any) -> None:
    """Write params.yaml with other settings for `generations` (JSON is YAML)."""
    section = read_yaml(REPOSITORY / "params.yaml")["generations"]
    section |= {"max_new_tokens": 24, "temperature": 0.0, "cache_tokens": 3000, "threads": 1}
    endpoints = changes.pop("endpoints", {})
    params = {"endpoints": endpoints, "generations": {**section, **changes}}
    Path("params.yaml").write_text(json.dumps(params))


def answer(
    checkpoint: Path, tests: list[TestTask], name: str = "out", **changes: Any
) -> list[Generation]:
    """Run the stage, and read what it wrote to NAME.jsonl and NAME.json."""
    set_params(**changes)
    jsonl.write(Path("tests.jsonl"), tests)
    stage = server_generations if changes.get("servers") else generations
    done = run(stage, checkpoint, "tests.jsonl", f"{name}.jsonl", "--run", f"{name}.json")
    assert done.exit_code == 0, done.output
    return jsonl.read(Path(f"{name}.jsonl"), Generation)


def fail(checkpoint: Path, tests: list[TestTask], **changes: Any) -> str:
    """Run the stage, which must refuse with one line and write nothing; give the line."""
    set_params(**changes)
    jsonl.write(Path("tests.jsonl"), tests)
    stage = server_generations if changes.get("servers") else generations
    done = run(stage, checkpoint, "tests.jsonl", "no.jsonl", "--run", "no.json")
    assert done.exit_code == 2, done.output
    assert not Path("no.jsonl").exists()
    assert not Path("no.json").exists()
    (line,) = (line for line in done.output.splitlines() if line.startswith("error: "))
    assert "Traceback" not in done.output
    return line
