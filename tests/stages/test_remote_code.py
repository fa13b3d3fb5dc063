"""No code that comes with a model is run, nor is anybody asked whether it may."""

import ast
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import REPOSITORY
from tiny_study import STUDENT, command, edit, rows

from alpacare.records.task import row_id
from alpacare.stages.checkpoint import main as checkpoint
from alpacare.stages.local_generations import main as local_generations

__all__ = ["rows"]  # a fixture

CODE = """\
from pathlib import Path
from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerFast
Path("ran").write_text("")
class Config(PretrainedConfig): model_type = "theirs"
class Model(PreTrainedModel): pass
class Tokenizer(PreTrainedTokenizerFast): pass
"""


def make_model(folder: Path, part: str) -> Path:
    """A model whose configuration, or whose tokenizer alone, needs its own code."""
    folder.mkdir()
    (folder / "theirs.py").write_text(CODE)
    config = {"model_type": "llama"}
    if part == "model":
        own = {"AutoConfig": "theirs.Config", "AutoModelForCausalLM": "theirs.Model"}
        config = {"model_type": "theirs", "auto_map": own}  # type: ignore[dict-item]
    (folder / "config.json").write_text(json.dumps(config))
    tokenizer = {
        "tokenizer_class": "Theirs",
        "auto_map": {"AutoTokenizer": [None, "theirs.Tokenizer"]},
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer))
    (folder / "model.safetensors").write_bytes(b"")
    return folder


def assert_not_run(command: object, *arguments: object) -> None:
    """With `yes` on standard input, where transformers would ask."""
    words = [str(each) for each in arguments]
    done = CliRunner().invoke(command, words, input="y\n" * 9)  # type: ignore[arg-type]
    assert done.exit_code == 2, done.output
    assert "needs Python code of its own, which is not run here" in done.output
    assert "[y/N]" not in done.output
    assert not Path("ran").exists()
    assert not Path("out").exists()


def write_tests() -> Path:
    task = {"id": row_id("Why rest?", ""), "instruction": "Why rest?", "input": ""}
    Path("tests.jsonl").write_text(json.dumps(task) + "\n")
    return Path("tests.jsonl")


@pytest.mark.parametrize("part", ["model", "tokenizer"])
def test_a_base_with_code_of_its_own(rows: Path, part: str) -> None:
    STUDENT.write_text(f"base: {make_model(Path.cwd() / 'theirs', part)}")
    assert_not_run(checkpoint, *command(rows, "out", 0))


@pytest.mark.parametrize("part", ["model", "tokenizer"])
def test_a_model_with_code_of_its_own(params: Path, part: str) -> None:
    model = make_model(Path("theirs"), part)
    edit(params, {"  local: [base]": "  local: [ours]"})
    settings = {"model": str(model), "revision": None, "prompt": "alpaca"}
    Path("models/ours").mkdir(parents=True)
    Path("models/ours/settings.yaml").write_text(json.dumps(settings))
    options = ["--models", "models", "--base-model", "none"]
    prompt = ["--prompt", REPOSITORY / "prompts/student"]
    assert_not_run(local_generations, write_tests(), "out", *options, *prompt)


def test_every_place_that_loads_a_model_says_so() -> None:
    """transformers asks where the argument is left out."""
    folders = ("src", "bench", "tests", "tools")
    files = [path for folder in folders for path in (REPOSITORY / folder).rglob("*.py")]
    calls = [
        (path, node)
        for path in files
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("from_pretrained", "from_config")
        and ast.unparse(node.func.value).rpartition(".")[2].startswith("Auto")
    ]
    assert len(calls) > 10
    for path, call in calls:
        given = {each.arg: ast.unparse(each.value) for each in call.keywords}
        assert given.get("trust_remote_code") == "False", f"{path}:{call.lineno}"
