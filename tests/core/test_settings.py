"""params.yaml: every mistake is named with its key."""

import re
from pathlib import Path

import pytest
from conftest import REPOSITORY, run

from alpacare.cli.main import main
from alpacare.core.errors import BadInput
from alpacare.core.settings import check, load, read_yaml
from alpacare.filtering.settings import FilteredSettings
from alpacare.pipeline.params import Params


def test_the_checked_in_settings_are_valid() -> None:
    check(read_yaml(REPOSITORY / "params.yaml"), Params, "params.yaml: ")


def test_small_floats_are_numbers(params: Path) -> None:
    """PyYAML reads 1e-4 as text; DVC and this project read a number."""
    text = re.sub("learning_rate: [^ ]+", "learning_rate: 1e-4", params.read_text())
    params.write_text(text)
    assert check(read_yaml(params), Params, "").checkpoint.optimizer.learning_rate == 1e-4


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("rouge_l:", "rogue_l:", "filtered.rogue_l: unknown key; did you mean 'rouge_l'?"),
        ("rouge_l: 0.7", "rouge_l: '0.7'", "filtered.rouge_l: input should be a valid number"),
        ("rouge_l: 0.7", "rouge_l: 7", "filtered.rouge_l: input should be less than or equal to 1"),
        ("keep: first", "keep: last", "filtered.keep: input should be 'first' or 'none'"),
        ("    epochs:", "    epocs:", "checkpoint.optimizer.epocs: unknown key; did you mean"),
        ("  window: 10", "", "curves: expected 'key: value' lines below it, found None"),
        ("filtered:", "filterd:", "filterd: unknown key; did you mean 'filtered'?"),
        # keys of earlier versions
        ("training_curves:", "curves:", "curves: this key has a new name: training_curves"),
        ("  api: []", "  asked: []", "models.asked: this key has a new name: api"),
        ("models:", "references:", "references: this key has a new name: models"),
        ("  packing:", "  student:", "checkpoint.student: this key has a new name: base, revision"),
        ("  packing:", "  hardware:", "checkpoint.hardware: this key has a new name: training.h"),
        (
            "  engines: [batched]",
            "  engine: batched",
            "generations.engine: this key has a new na",
        ),
        (
            "  servers: []",
            "  endpoint: null",
            "generations.endpoint: this key has a new",
        ),
        ("  idle_timeout:", "  patience:", "endpoints.openai.patience: this key has a new name"),
        ("  max_seq_length:", "  row_length:", "checkpoint.row_length: this key has a new name"),
        ("tests: [demo]", "tests: [a/b]", "tests.0: string should match pattern"),
        (
            "base: random",
            "base: org/model",
            "it is a Hub model, and needs 'revision'",
        ),
        ("scores:", "  scores:\n x", "not valid YAML"),
        ("tests: [demo]", "tests: [demo", "expected a list as [one, two], closed in the line"),
        ("tests: [demo]", "tests: demo: x", "expected one 'key: value' a line, indented as its"),
        ("tests: [demo]", "tests:\n\t- demo", "expected blanks to indent"),
        ("tests: [demo]", "tests demo", "expected 'key: value'; is a ':' missing in the line"),
    ],
)
def test_mistakes_are_named(params: Path, old: str, new: str, message: str) -> None:
    text = params.read_text()
    assert old in text
    params.write_text(text.replace(old, new, 1))
    result = run(main, "check")
    assert result.exit_code == 2
    assert message in result.output
    assert len(result.output.strip().splitlines()) == 1


def test_a_missing_file_says_where_to_stand() -> None:
    with pytest.raises(BadInput, match="run this from the repository's top folder"):
        load("filtered", FilteredSettings)
