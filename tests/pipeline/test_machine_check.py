"""`alpacare check` says what cannot run on this machine, and what can be done about it."""

import json
import re
import shutil
from pathlib import Path

import pytest
from conftest import run
from generated_ledgers import link_what_git_holds, write_params

from alpacare.cli.main import main

LLAMA = {
    "model_type": "llama", "num_hidden_layers": 80, "num_attention_heads": 64, "vocab_size": 32000,
}  # fmt: skip
RECORDED = {"endpoint": "recordings", "model": "demo-teacher"}


@pytest.mark.parametrize(
    ("sources", "buys"),
    [
        ({}, True),
        ({"instructions": "imported/ours"}, True),
        ({"responses": "imported/ours"}, False),
    ],
    ids=["teacher", "own instructions", "own responses"],
)
def test_make_buy_is_named_where_it_buys(
    workspace: Path, sources: dict[str, str], buys: bool
) -> None:
    link_what_git_holds("dvc.yaml", "prompts", "configs", "data", "students")
    Path("data/imported/ours.jsonl").touch()
    only = {"students": ["all-rows"], "judgments": {"head_to_head": "all-rows"}}
    write_params(training={"hardware": "one-node-fsdp2"}, sources=sources, **only)
    refused = run(main, "check")
    assert refused.exit_code == 2
    assert refused.output.startswith("error: student 'all-rows': training.hardware"), refused.output
    assert ("`make buy`" in refused.output) == buys
    assert run(main, "targets", "--buy").exit_code == (0 if buys else 2)


def test_only_a_student_that_would_train_needs_the_machine(workspace: Path) -> None:
    """One is named as the target of a run; the other's base is no whole model."""
    link_what_git_holds("dvc.yaml", "prompts", "configs", "data", "students")
    Path("base").mkdir()
    Path("base/config.json").write_text(json.dumps(LLAMA))
    Path("base/model.safetensors").touch()
    Path("students/half-rows.yaml").unlink()
    Path("students/half-rows.yaml").write_text("base: base\n")
    write_params(instructions=RECORDED, responses=RECORDED)
    refused = run(main, "check")
    assert refused.exit_code == 2
    assert "student 'half-rows': base: base: no tokenizer in this folder" in refused.output
    assert run(main, "check", "checkpoint@all-rows-0").exit_code == 0
    assert run(main, "check", "checkpoint@half-rows-0").exit_code == 2
    unknown = run(main, "check", "checkpoint@half-rows-7")
    assert "no cell 'checkpoint@half-rows-7'" in unknown.output


def test_models_that_answer_or_judge_are_looked_at_before_training(workspace: Path) -> None:
    link_what_git_holds("dvc.yaml", "prompts", "configs", "data", "students")
    Path("adapter").mkdir()
    Path("adapter/adapter_config.json").write_text("{}")
    ours = "model: adapter\nrevision: null\n"
    judge = Path("prompts/local_judges/loglik/settings.yaml")
    text = re.sub(r"model: .*\nrevision: .*\n", ours, judge.read_text())
    for path, settings in (
        (judge.parents[1] / "ours/settings.yaml", text),
        (Path("prompts/local_models/ours/settings.yaml"), f"{ours}prompt: alpaca\n"),
    ):
        path.parent.mkdir()
        path.write_text(settings)
    shutil.copy(judge.parent / "prompt.txt", judge.parents[1] / "ours")
    asked = {"instructions": RECORDED, "responses": RECORDED}
    for sections, place in (
        ({"models": {"local": ["base", "ours"]}}, "prompts/local_models/ours/settings.yaml: "),
        ({"judgments": {"local_judges": ["ours"]}}, "judge 'ours': "),
    ):
        write_params(**asked, **sections)
        refused = run(main, "check")
        assert refused.exit_code == 2, refused.output
        assert f"{place}adapter: holds an adapter of another model" in refused.output
        assert run(main, "check", "checkpoint@all-rows-0").exit_code == 0


def test_the_targets_of_one_training(params: Path) -> None:
    named = run(main, "targets", "--train", "--student", "half-rows", "--seed", "1")
    assert named.output == "checkpoint@half-rows-1 training_curves@half-rows-1\n"
    assert len(run(main, "targets", "--train").output.split()) == 2 * 4
    for option, value in (("--student", "halfrows"), ("--seed", "7")):
        refused = run(main, "targets", "--train", option, value)
        assert refused.exit_code == 2
        assert f"'{value}' is not among them" in refused.output
