"""A study of a student with a few thousand weights: its settings, its rows, its base model."""

from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY, run

from alpacare.core import jsonl
from alpacare.prompting.student_prompt import StudentPrompt
from alpacare.records.response import Response
from alpacare.records.task import row_id
from alpacare.stages.checkpoint import main as checkpoint
from alpacare.training.base_model import save_base_model
from alpacare.training.settings import Architecture, BaseModelSettings

TINY = {
    "hidden_size: 96": "hidden_size: 16",
    "layers: 2 ": "layers: 1 ",
    "vocab_size: 2048": "vocab_size: 400",
    "context: 1024": "context: 256",
    "max_seq_length: 512": "max_seq_length: 160",
    "max_new_tokens: 128": "max_new_tokens: 8",
    "learning_rate: 4.0e-3": "learning_rate: 5.0e-3",
}
SIZE = Architecture(hidden_size=16, layers=1, heads=2, vocab_size=400, context=256)
PROMPT = REPOSITORY / "prompts/student"
OPTIONS = (
    *("--base-model", "base_model", "--prompt", PROMPT),
    *("--hardware", REPOSITORY / "configs/accelerate"),
)
STUDENT = Path("students/tiny.yaml")


def edit(params: Path, changes: dict[str, str]) -> None:
    text = params.read_text()
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    params.write_text(text)


def make_rows() -> list[Response]:
    """Six rows of three topics."""
    names = ["heart", "lung", "liver", "kidney", "skin", "eye"]
    return [
        Response(
            id=row_id(f"Name one task of the {name}.", ""),
            instruction=f"Name one task of the {name}.",
            input="",
            output=f"The {name} keeps people alive and well." + " Well." * number,
            finish_reason="stop",
            model="m",
            request="r",
            type="open QA" if number % 2 else "chat",
            topic=("Cardiology", "Nephrology", "Dermatology")[number // 2],
            difficulty=1 + number,
        )
        for number, name in enumerate(names)
    ]


def make_base(folder: Path, seed: int = 0) -> Path:
    """What stage `base_model` makes."""
    prompt = StudentPrompt.choose("alpaca", PROMPT)
    save_base_model(folder, make_rows(), prompt, BaseModelSettings(architecture=SIZE, seed=seed))
    return folder


@pytest.fixture
def rows(params: Path) -> Path:
    """Rows, a base model, and the file of a student that has all settings from params.yaml."""
    edit(params, TINY)
    jsonl.write(Path("rows.jsonl"), make_rows())
    make_base(Path("base_model"))
    STUDENT.parent.mkdir()
    STUDENT.write_text("packing: true\n")
    return Path("rows.jsonl")


def command(rows: Path, out: str, seed: int, hardware: Path | None = None) -> list[Any]:
    options = [*OPTIONS[:-1], hardware or OPTIONS[-1]]
    return [STUDENT, rows, out, "--seed", seed, *options]


def train(rows: Path, out: str, seed: int = 0, hardware: Path | None = None) -> Any:
    return run(checkpoint, *command(rows, out, seed, hardware))


def trained(rows: Path, out: str, seed: int = 0) -> dict[str, bytes]:
    """Train, and give what was written."""
    done = train(rows, out, seed)
    assert done.exit_code == 0, done.output
    return contents(Path(out))


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
