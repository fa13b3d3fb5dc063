"""Settings of a student: its file over `checkpoint`, and old keys, which name today's."""

from pathlib import Path
from typing import Any

import pytest

from alpacare.core.errors import BadInput
from alpacare.core.settings import read_yaml
from alpacare.training.settings import Architecture, BaseModelSettings
from alpacare.training.student_file import overlay, read_student, student_file
from students import make_settings


def test_sections_merge_and_other_values_replace() -> None:
    below: dict[str, Any] = {"a": {"b": 1, "c": {"d": 2}}, "e": [1, 2], "lora": {"rank": 4}}
    above: dict[str, Any] = {"a": {"c": {"d": 3, "f": 4}}, "e": [3], "lora": None}
    assert overlay(below, above) == {
        "a": {"b": 1, "c": {"d": 3, "f": 4}}, "e": [3], "lora": None
    }  # fmt: skip
    assert overlay({"lora": None}, {"lora": {"rank": 4}}) == {"lora": {"rank": 4}}
    assert below["a"]["c"] == {"d": 2}, "what all share stays as it is"


def write_student(text: str, name: str = "mine") -> Path:
    path = Path(f"students/{name}.yaml")
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def test_a_students_file_is_laid_over_the_shared_settings(params: Path) -> None:
    shared = read_yaml(params)["checkpoint"]
    student = read_student(write_student("optimizer: {epochs: 2}\nrows: {where: {type: chat}}\n"))
    assert (student.optimizer.epochs, student.rows.where.type) == (2, "chat")
    assert student.optimizer.learning_rate == shared["optimizer"]["learning_rate"]
    assert student.rows.seed == shared["rows"]["seed"]


def test_a_student_without_a_file_is_one_line_with_a_near_name(params: Path) -> None:
    with pytest.raises(BadInput, match=r"students: no file students/mine.yaml; there are: none"):
        student_file("mine")
    write_student("", "minor")
    with pytest.raises(BadInput, match=r"no file students/minr.yaml; did you mean 'minor'"):
        student_file("minr")


def test_a_wrong_shared_setting_is_not_the_students_fault(params: Path) -> None:
    params.write_text(params.read_text().replace("packing: true", "packing: perhaps"))
    with pytest.raises(BadInput, match=r"^params.yaml: checkpoint.packing: "):
        read_student(write_student("packing: true"))


@pytest.mark.parametrize(
    ("old", "hint"),
    [
        ("row_length: 512", "max_seq_length"),
        ("micro_rows: null", "micro_batch_size"),
        ("validation_share: 0.0", "validation_ratio"),
        ("optimizer: {warmup_share: 0.03}", "warmup_ratio"),
        ("optimizer: {eight_bit: false}", "name, adamw_8bit for true and adamw"),
        ("student: {base: random}", "base, revision and dtype, in section checkpoint itself"),
        ("save_steps: 7", "training.save_steps"),
    ],
)
def test_an_old_key_is_one_line_with_the_new_name(params: Path, old: str, hint: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_student(write_student(old))
    key = old.replace(": {", ".").partition(":")[0].replace("student.base", "student")
    line = f"students/mine.yaml: {key}: this key has a new name: {hint}"
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
    assert make_settings(base=base).public_base == name


def test_a_base_of_the_hub_keeps_its_whole_name_and_needs_a_commit() -> None:
    assert make_settings(base="org/llama", revision="0" * 40).public_base == "org/llama"
    with pytest.raises(ValueError, match="'org/llama' is no local folder"):
        make_settings(base="org/llama")


def test_an_example_must_fit_into_a_base_that_is_made_from_nothing() -> None:
    size = Architecture(hidden_size=16, layers=1, heads=2, vocab_size=300, context=64)
    with pytest.raises(ValueError, match="96 tokens exceed the base model's context, 64"):
        make_settings().check_context(BaseModelSettings(architecture=size, seed=0))
