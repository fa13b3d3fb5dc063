"""`checkpoint` from a pretrained base on disk, with adapters and examples held out."""

import json
from pathlib import Path
from typing import Any

import pytest
from answerers import CHAT
from conftest import run
from safetensors.torch import load_file
from test_checkpoint import edit, responses, train
from transformers import AutoModelForCausalLM, AutoTokenizer

from alpacare.prompting.student_prompt import StudentPrompt
from alpacare.stages.base_generations import main as base
from alpacare.stages.generations import main as generations
from alpacare.stages.training_curves import main as curves

__all__ = ["responses"]  # a fixture

LORA = "lora: {rank: 4, alpha: 8, dropout: 0.0, targets: [q_proj, v_proj]} #"


@pytest.fixture
def pretrained(responses: Path, params: Path) -> Path:
    """A trained student, its tokenizer without a pad token as LLaMA's is."""
    assert train(responses, "pretrained").exit_code == 0
    tokenizer = AutoTokenizer.from_pretrained("pretrained", trust_remote_code=False)
    tokenizer.pad_token = None
    tokenizer.save_pretrained("pretrained")
    edit(params, {"base: random ": f"base: {Path.cwd()}/pretrained #"})
    return responses


def test_adapters_on_a_local_base(pretrained: Path, params: Path) -> None:
    edit(params, {"lora: null ": LORA, "validation_ratio: 0.0": "validation_ratio: 0.34"})
    result: Any = train(pretrained, "out")
    assert result.exit_code == 0, result.output
    old, new = load_file("pretrained/model.safetensors"), load_file("out/model.safetensors")
    changed = {name.split(".")[-2] for name in new if not new[name].equal(old[name])}
    assert changed == {"q_proj", "v_proj"}
    assert {name: w.shape for name, w in new.items()} == {name: w.shape for name, w in old.items()}
    AutoModelForCausalLM.from_pretrained("out", trust_remote_code=False)
    adapter = json.loads(Path("out/adapter/adapter_config.json").read_text())
    assert adapter["target_modules"] == ["q_proj", "v_proj"], "the same bytes each time"
    card = Path("out/README.md").read_text()
    assert "LoRA of rank 4, merged" in card
    assert "4 (2 held out" in card
    arguments = ["out/history.jsonl", "out/training.json", "--metrics", "m.json"]
    assert run(curves, *arguments, "--plot", "p.csv", "--validation", "v.csv").exit_code == 0
    metrics = json.loads(Path("m.json").read_text())
    assert metrics["validation"]["perplexity"] > 1
    assert len(Path("v.csv").read_text().splitlines()) == 6  # a line an epoch
    task = json.loads(pretrained.read_text().splitlines()[0])
    task |= {"type": "open QA", "topic": "t", "view": "v", "difficulty": 1, "answers": {"a": "x"}}
    kept = ("id", "instruction", "input", "type", "topic", "view", "difficulty", "answers")
    Path("tests.jsonl").write_text(json.dumps({key: task[key] for key in kept}) + "\n")
    for stage in (generations, base):
        answered = run(stage, "out", "tests.jsonl", "answers.jsonl", "--run", "run.json")
        assert answered.exit_code == 0, answered.output
    assert json.loads(Path("out/training.json").read_text())["settings"]["student"]["base"] == (
        "pretrained"  # by its folder's name: others read this
    )
    Path("pretrained/config.json").write_text(Path("pretrained/config.json").read_text() + " ")
    other = run(base, "out", "tests.jsonl", "answers.jsonl", "--run", "run.json")
    assert other.exit_code == 2
    assert "pretrained' does not hold the files that out was trained from" in other.output


def test_a_full_disk_is_one_line_and_the_run_goes_on_when_there_is_room(
    responses: Path, params: Path
) -> None:
    import resource

    edit(params, {"save_steps: 500": "save_steps: 5"})
    kilobytes = 64  # of the largest file: less than the optimiser's state
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes * 1024, before[1]))
    try:
        result = train(responses, "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert result.exit_code == 2
    assert "error: a checkpoint could not be written" in result.output
    assert not Path("out").exists()
    result = train(responses, "out")
    assert result.exit_code == 0, result.output


def test_a_chat_model_is_trained_and_asked_by_its_own_template(
    pretrained: Path, params: Path
) -> None:
    edit(params, {"prompt: alpaca ": "prompt: chat #"})
    refused = train(pretrained, "out")
    assert refused.exit_code == 2
    assert "tokenizer has no chat template; use alpaca" in refused.output
    tokenizer = AutoTokenizer.from_pretrained("pretrained", trust_remote_code=False)
    tokenizer.chat_template = CHAT
    wishes = Path("pretrained/generation_config.json")
    wishes.write_text(json.dumps({**json.loads(wishes.read_text()), "repetition_penalty": 1.3}))
    tokenizer.save_pretrained("pretrained")
    done = train(pretrained, "out")
    assert done.exit_code == 0, done.output
    assert Path("out/prompt/form.txt").read_text() == "chat\n"
    kept = json.loads(Path("out/generation_config.json").read_text())
    assert kept
    assert all(name.endswith("_token_id") for name in kept), "a server would follow other wishes"
    prompt = StudentPrompt.read(Path("out/prompt"))
    (task, *_) = (json.loads(line) for line in pretrained.read_text().splitlines())
    ids = prompt.encode(
        AutoTokenizer.from_pretrained("out", trust_remote_code=False),
        task["instruction"],
        task["input"],
    )
    assert tokenizer.decode(ids).startswith("<s><user>")
    counted = json.loads(Path("out/training.json").read_text())
    assert counted["tokens"] - counted["response_tokens"] == sum(
        len(prompt.encode(tokenizer, row["instruction"], row["input"]))
        for row in map(json.loads, pretrained.read_text().splitlines())
    )
