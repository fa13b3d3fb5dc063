"""Settings of earlier versions: each old key is an error that names today's."""

from pathlib import Path

import pytest
from students import make_settings

from alpacare.core.errors import BadInput
from alpacare.core.settings import load
from alpacare.training.settings import CheckpointSettings, StudentSettings


@pytest.mark.parametrize(
    ("today", "old", "hint"),
    [
        ("  max_seq_length: 512 ", "row_length: 512", "max_seq_length"),
        ("  micro_batch_size: null ", "micro_rows: null", "micro_batch_size"),
        ("  validation_ratio: 0.0 ", "validation_share: 0.0", "validation_ratio"),
        ("    warmup_ratio: 0.03 ", "optimizer.warmup_share: 0.03", "warmup_ratio"),
        ("    name: adamw ", "optimizer.eight_bit: false", "name, adamw_8bit for true and adamw"),
    ],
)
def test_an_old_key_is_one_line_with_the_new_name(
    params: Path, today: str, old: str, hint: str
) -> None:
    key, _, value = old.partition(": ")
    text = params.read_text()
    assert today in text
    indent = today[: len(today) - len(today.lstrip())]
    params.write_text(text.replace(today, f"{indent}{key.rpartition('.')[2]}: {value} "))
    with pytest.raises(BadInput) as refused:
        load("checkpoint", CheckpointSettings)
    line = f"params.yaml: checkpoint.{key}: this key has a new name: {hint}"
    assert str(refused.value).startswith(line)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("base", "name"),
    [("current", "current"), ("llama/", "llama"), ("llama/..", "work"), (".", "work")],
)
def test_a_base_that_is_a_folder_is_named_by_its_last_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, base: str, name: str
) -> None:
    (tmp_path / "work/llama").mkdir(parents=True)
    (tmp_path / "work/current").symlink_to("llama")
    monkeypatch.chdir(tmp_path / "work")
    student = make_settings().student.model_dump() | {"base": base}
    assert StudentSettings(**student).public_base == name


def test_a_base_of_the_hub_keeps_its_whole_name() -> None:
    student = make_settings().student.model_dump() | {"base": "org/llama", "revision": "0" * 40}
    assert StudentSettings(**student).public_base == "org/llama"
