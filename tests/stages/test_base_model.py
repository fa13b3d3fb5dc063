"""Stage `base_model`: a tokenizer and first weights, made once for all students."""

from pathlib import Path

import pytest
from conftest import run
from tiny_study import PROMPT, TINY, contents, edit, make_rows

from alpacare.core import jsonl
from alpacare.stages.base_model import main as base_model


def make(out: str) -> dict[str, bytes]:
    done = run(base_model, "rows.jsonl", out, "--prompt", PROMPT)
    assert done.exit_code == 0, done.output
    return contents(Path(out))


@pytest.fixture
def rows(params: Path) -> Path:
    edit(params, TINY)
    jsonl.write(Path("rows.jsonl"), make_rows())
    return Path("rows.jsonl")


def test_same_rows_and_seed_same_bytes(rows: Path, params: Path) -> None:
    one = make("one")
    assert make("two") == one
    seed = "seed: 0                         # first"
    edit(params, {seed: seed.replace("0", "1")})
    other = make("other")
    assert {name for name in one if one[name] != other[name]} == {"model.safetensors"}


def test_without_rows_there_is_no_text_for_a_tokenizer(rows: Path) -> None:
    rows.write_text("")
    done = run(base_model, "rows.jsonl", "out", "--prompt", PROMPT)
    assert done.exit_code == 2
    assert "rows.jsonl: no responses to make a tokenizer of" in done.output
    assert not Path("out").exists()
