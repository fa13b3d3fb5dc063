"""`checkpoint` from a pretrained base on disk, with adapters and examples held out."""

import json
from pathlib import Path

import pytest
from answerers import CHAT
from conftest import run
from safetensors.torch import load_file
from tiny_study import STUDENT, make_rows, rows, train, trained
from transformers import AutoModelForCausalLM, AutoTokenizer

from alpacare.core import jsonl
from alpacare.prompting.student_prompt import StudentPrompt
from alpacare.records.message import Message, messages_id
from alpacare.stages.training_curves import main as curves

__all__ = ["rows"]  # a fixture

LORA = {"rank": 4, "alpha": 8, "dropout": 0.0, "targets": ["q_proj", "v_proj"]}


@pytest.fixture
def pretrained(rows: Path) -> Path:
    """A model by its folder, its tokenizer without a pad token as LLaMA's is."""
    Path("base_model").rename("pretrained")
    tokenizer = AutoTokenizer.from_pretrained("pretrained", trust_remote_code=False)
    tokenizer.pad_token = None
    tokenizer.save_pretrained("pretrained")
    return rows


def write_student(**changes: object) -> None:
    STUDENT.write_text(json.dumps({"base": f"{Path.cwd()}/pretrained", **changes}))


def test_adapters_on_a_local_base(pretrained: Path) -> None:
    write_student(lora=LORA, validation_ratio=0.34, optimizer={"epochs": 2})
    trained(pretrained, "out")
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
    arguments = ["out", "--metrics", "m.json"]
    assert run(curves, *arguments, "--plot", "p.csv", "--validation", "v.csv").exit_code == 0
    metrics = json.loads(Path("m.json").read_text())
    assert metrics["validation"]["perplexity"] > 1
    assert len(Path("v.csv").read_text().splitlines()) == 4  # the base's, and one an epoch
    assert metrics["validation"]["base_loss"] > metrics["validation"]["loss"]
    assert metrics["validation"]["change_high"] < 0
    assert " before training, " in card
    training = json.loads(Path("out/training.json").read_text())
    assert training["settings"]["base"] == "pretrained", "its folder's name: others read this"
    assert training["base_sha256"]


def test_a_row_that_spells_a_token_without_weights_is_named(pretrained: Path) -> None:
    """As Gemma 3's tokenizer has a token for an image, beyond the embedding of models for text."""
    tokenizer = AutoTokenizer.from_pretrained("pretrained", trust_remote_code=False)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<image>"]})
    tokenizer.save_pretrained("pretrained")
    write_student(optimizer={"max_steps": 1})
    trained(pretrained, "out")
    row = make_rows()[1].model_copy(update={"id": "odd", "output": "See <image>."})
    jsonl.write(pretrained, [*make_rows(), row])
    refused = train(pretrained, "other")
    assert (refused.exit_code, refused.output.count("\n")) == (2, 1)
    assert "rows.jsonl: row odd: for " in refused.output
    assert "('<image>'), and the model an embedding of" in refused.output
    assert not Path("other").exists()


def add_conversation(rows: Path) -> None:
    """Two questions and their answers, of which each is written and ended."""
    said = ["Name a bone.", "The femur.", "Another one.", "The ulna."]
    turns = tuple(
        Message(role="assistant" if place % 2 else "user", content=text)
        for place, text in enumerate(said)
    )
    row = make_rows()[0].model_copy(
        update={"id": messages_id(turns), "output": said[-1], "messages": turns}
    )
    jsonl.write(rows, [*make_rows(), row])


def test_a_chat_model_is_trained_and_asked_by_its_own_template(pretrained: Path) -> None:
    write_student(prompt="chat", optimizer={"max_steps": 2})
    refused = train(pretrained, "out")
    assert refused.exit_code == 2
    assert "tokenizer has no chat template; use alpaca" in refused.output
    tokenizer = AutoTokenizer.from_pretrained("pretrained", trust_remote_code=False)
    ending = CHAT.replace("{% endfor %}", "<pad>{% endfor %}")
    tokenizer.chat_template = ending.replace("<answer>", "<assistant>")
    wishes = Path("pretrained/generation_config.json")
    wishes.write_text(json.dumps({**json.loads(wishes.read_text()), "repetition_penalty": 1.3}))
    tokenizer.save_pretrained("pretrained")
    add_conversation(pretrained)
    trained(pretrained, "out")
    assert Path("out/prompt/form.txt").read_text() == "chat\n"
    kept = json.loads(Path("out/generation_config.json").read_text())
    assert kept
    assert all(name.endswith("_token_id") for name in kept), "a server would follow other wishes"
    pad = tokenizer.convert_tokens_to_ids("<pad>")
    assert kept["eos_token_id"] == [pad, tokenizer.eos_token_id]
    prompt, asked = StudentPrompt.read(Path("out/prompt")), make_rows()
    mine = AutoTokenizer.from_pretrained("out", trust_remote_code=False)
    prompts = [prompt.encode(mine, row.instruction, row.input) for row in asked]
    assert tokenizer.decode(prompts[0]).startswith("<s><user>")
    assert prompt.end_ids(mine) == [pad]
    counted = json.loads(Path("out/training.json").read_text())
    assert counted["examples"] == len(asked) + 1
    answers = [*(row.output for row in asked), "The femur.", "The ulna."]
    written = [[*mine.encode(answer, add_special_tokens=False), pad] for answer in answers]
    assert counted["response_tokens"] == sum(map(len, written))
    assert not Path("out/dropped.jsonl").read_text()
    write_student(optimizer={"max_steps": 2})  # the form `alpaca` has one question
    trained(pretrained, "out")
    assert json.loads(Path("out/dropped.jsonl").read_text())["reason"] == "several_turns"
