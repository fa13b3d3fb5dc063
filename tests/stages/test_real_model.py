"""One step of a real pretrained model, SmolLM2 135M, with the weights that `make real-model` keeps.

It takes half a minute and 3 GB, so it runs with REAL_MODEL=1 only.
"""

import json
import os
from pathlib import Path

import pytest
import torch
from conftest import REPOSITORY, run
from tiny_study import STUDENT, edit, make_rows, trained
from transformers import AutoModelForCausalLM, AutoTokenizer

from alpacare.core import jsonl
from alpacare.records.task import TestTask, row_id
from alpacare.stages.generations import main as generations
from alpacare.stages.training_curves import main as curves

MODEL = REPOSITORY / "models/real/smollm2-135m"
pytestmark = [
    pytest.mark.skipif(
        os.environ.get("REAL_MODEL") != "1", reason="REAL_MODEL=1 trains a real model of 0.5 GB"
    ),
    pytest.mark.skipif(not MODEL.exists(), reason="no real model here: run `make real-model`"),
]
ASKED = "Why should a wound be kept clean?"


@pytest.fixture
def rows(params: Path) -> Path:
    short = {"max_new_tokens: 128": "max_new_tokens: 12", "temperature: 0.7": "temperature: 0.0"}
    edit(params, short)
    jsonl.write(Path("rows.jsonl"), make_rows())
    STUDENT.parent.mkdir()
    text = (REPOSITORY / "students/smollm2-135m.yaml").read_text()
    text = text.replace("base: HuggingFaceTB/SmolLM2-135M-Instruct", f"base: {MODEL}")
    text = text.replace("epochs: 2\n", "max_steps: 1\n  warmup_ratio: 0.0\n")
    text = text.replace("validation_ratio: 0.1", "validation_ratio: 0.34")
    STUDENT.write_text(text)
    return Path("rows.jsonl")


def test_a_real_model_is_trained_measured_and_answers_as_plain_generate(rows: Path) -> None:
    trained(rows, "out")
    asked = ["out", "--metrics", "m.json", "--plot", "p.csv", "--validation", "v.csv"]
    assert run(curves, *asked).exit_code == 0
    held_out = json.loads(Path("m.json").read_text())["validation"]
    # random weights would give the logarithm of the vocabulary, 10.8 nats
    assert 1 < held_out["base_loss"] < 5
    assert held_out["loss"] < held_out["base_loss"]
    assert " before training, " in Path("out/README.md").read_text()
    task = TestTask(id=row_id(ASKED, ""), instruction=ASKED, input="")
    jsonl.write(Path("tests.jsonl"), [task])
    done = run(generations, "out", "tests.jsonl", "answers.jsonl", "--run", "run.json")
    assert done.exit_code == 0, done.output
    tokenizer = AutoTokenizer.from_pretrained("out", trust_remote_code=False)
    model = AutoModelForCausalLM.from_pretrained(
        "out", dtype=torch.float32, trust_remote_code=False
    )
    turns = [{"role": "user", "content": ASKED}]
    prompt = tokenizer.apply_chat_template(
        turns, add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    plain = model.generate(**prompt, do_sample=False, max_new_tokens=12)
    plain = tokenizer.decode(plain[0, prompt["input_ids"].shape[1] :], skip_special_tokens=True)
    (answer,) = map(json.loads, Path("answers.jsonl").read_text().splitlines())
    assert answer["output"] == plain.strip()
