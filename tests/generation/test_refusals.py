"""What is wrong is said in one line, and nothing is written."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from answerers import answer, fail, make_checkpoint, make_tests, set_params
from conftest import run
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer

from alpacare.records.task import TestTask, row_id
from alpacare.stages.generations import main as generations

TESTS = make_tests(3)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return make_checkpoint(tmp_path / "checkpoint")


def test_a_checkpoint_without_tokenizer(checkpoint: Path) -> None:
    for file in checkpoint.glob("tokenizer*"):
        file.unlink()
    assert "no tokenizer in this folder" in fail(checkpoint, TESTS)


def test_a_task_that_spells_a_token_without_weights(checkpoint: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(checkpoint, trust_remote_code=False)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<image>"]})
    tokenizer.save_pretrained(checkpoint)
    asked = "What does <image> show?"
    odd = TestTask(id=row_id(asked, ""), instruction=asked, input="")
    assert f"test task {odd.id}: for " in fail(checkpoint, [*TESTS, odd])


def test_weights_that_are_no_safetensors(checkpoint: Path) -> None:
    torch.save({}, checkpoint / "pytorch_model.bin")
    (checkpoint / "model.safetensors").unlink()
    assert "no .safetensors in this folder" in fail(checkpoint, TESTS)


def test_weights_that_do_not_load(checkpoint: Path) -> None:
    """transformers would answer with random ones."""
    weights = load_file(checkpoint / "model.safetensors")
    renamed = {f"base_model.model.{name}": weight for name, weight in weights.items()}
    save_file(renamed, checkpoint / "model.safetensors", {"format": "pt"})
    assert "its weights are not those of its config.json; missing: 21" in fail(checkpoint, TESTS)


def test_damaged_weights_and_a_damaged_tokenizer(checkpoint: Path) -> None:
    weights = checkpoint / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    assert "its weights cannot be read" in fail(checkpoint, TESTS)
    (checkpoint / "tokenizer.json").write_text("{")
    assert "its tokenizer cannot be read" in fail(checkpoint, TESTS)


def test_a_checkpoint_that_does_not_say_how_it_was_asked(checkpoint: Path) -> None:
    (checkpoint / "prompt/form.txt").write_text("vicuna")
    assert "expected alpaca or chat, found 'vicuna'" in fail(checkpoint, TESTS)
    (checkpoint / "prompt/form.txt").unlink()
    assert "form.txt: no such file" in fail(checkpoint, TESTS)


ROW = {"id": TESTS[0].id, "instruction": TESTS[0].instruction, "input": ""}


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ([], "tests.jsonl: no test tasks"),
        ([ROW, {**ROW}], "tests.jsonl:2: id '{id}' is already on line 1; keep one of them"),
        ([{**ROW, "reference": "x"}], "tests.jsonl:1: field 'reference': extra inputs"),
        ([{**ROW, "id": "1"}], "is not the hash of instruction and input ({id})"),
    ],
    ids=["empty", "twice", "unknown field", "wrong id"],
)
def test_a_test_set_that_is_none(checkpoint: Path, rows: list[Any], line: str) -> None:
    set_params()
    Path("tests.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = run(generations, checkpoint, "tests.jsonl", "no.jsonl", "--run", "no.json")
    assert done.exit_code == 2
    assert line.format(id=ROW["id"]) in done.output
    assert not Path("no.jsonl").exists()


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"engines": ["vllm"]}, "params.yaml: generations.engines.0: input should be 'batched' or"),
        ({"engine": "vllm"}, "generations.engine: this key has a new name: engines, as in engines"),
        ({"engines": []}, "engines, servers: name one in all, as in engines: [batched]"),
        ({"servers": ["mine"]}, "engines, servers: name one in all, as in engines: [batched]"),
        ({"engines": [], "servers": ["mine"]}, "endpoint 'mine' is not in section"),
        ({"top_p": 0.0}, "params.yaml: generations.top_p: input should be greater than 0"),
    ],
)
def test_settings_that_cannot_be(checkpoint: Path, changes: dict[str, Any], line: str) -> None:
    assert line in fail(checkpoint, TESTS, **changes)


def test_an_output_that_would_overwrite_an_input(checkpoint: Path) -> None:
    set_params()
    done = run(generations, checkpoint, "t.jsonl", "t.jsonl", "--run", "r.json")
    assert (done.exit_code, "would be overwritten" in done.output) == (2, True)


def test_continuous_is_not_offered_on_a_cpu(checkpoint: Path) -> None:
    line = fail(checkpoint, TESTS, engines=["continuous"])
    assert "continuous is for GPUs" in line
    assert "engines: [batched]" in line


def test_a_model_without_an_end_of_text_answers_to_the_limit(checkpoint: Path) -> None:
    for name in ("tokenizer_config.json", "config.json", "generation_config.json"):
        path = checkpoint / name
        values = json.loads(path.read_text())
        path.write_text(json.dumps({k: v for k, v in values.items() if "eos_token" not in k}))
    records = answer(checkpoint, TESTS)
    assert {(record.finish_reason, record.tokens) for record in records} == {("length", 24)}
