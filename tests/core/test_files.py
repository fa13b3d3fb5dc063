"""Files and rows: whole or not at all, errors that name the line."""

import os
from pathlib import Path

import pytest

from alpacare.core import jsonl
from alpacare.core.errors import BadInput
from alpacare.core.files import atomic_file, atomic_folder
from alpacare.llm.in_flight_lock import InFlightLocks
from alpacare.llm.ledger import Ledger
from alpacare.records.dropped import Dropped

ROW = '{"id": "a", "stage": "s", "reason": "r", "witness": "w", "score": null}\n'


def test_rows_survive_a_round_trip(tmp_path: Path) -> None:
    rows = [Dropped(id="a", stage="s", reason="r", witness='é 中 "quoted"\n\u2028x', score=0.5)]
    jsonl.write(tmp_path / "new/rows.jsonl", rows)
    assert jsonl.read(tmp_path / "new/rows.jsonl", Dropped) == rows


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (ROW + ROW[:20], "x.jsonl:2: not valid JSON"),
        (ROW + "\n[1]\n", "x.jsonl:3: expected a JSON object, found list"),
        (ROW.replace('"id": "a", ', ""), "x.jsonl:1: field 'id': field required"),
        (ROW.replace('"a"', "7"), "x.jsonl:1: field 'id': input should be a valid string"),
        (ROW.replace("{", '{"extra": 1, '), "x.jsonl:1: field 'extra': extra inputs"),
        (ROW + ROW, "x.jsonl:2: id 'a' is already on line 1; keep one of them"),
    ],
)
def test_bad_rows_are_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(text)
    with pytest.raises(BadInput) as error:
        jsonl.read(path, Dropped, unique="id")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_other_encodings_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_bytes("é".encode("latin-1"))
    with pytest.raises(BadInput, match="not UTF-8"):
        jsonl.read(tmp_path / "x.jsonl", Dropped)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(ROW)
    with pytest.raises(RuntimeError), atomic_file(path) as file:
        file.write("half")
        raise RuntimeError
    assert path.read_text() == ROW
    assert os.listdir(tmp_path) == ["x.jsonl"]


def test_a_failed_folder_leaves_the_old_one(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model/weights").write_text("old")
    with pytest.raises(RuntimeError), atomic_folder(tmp_path / "model") as folder:
        (folder / "weights").write_text("new")
        raise RuntimeError
    assert (tmp_path / "model/weights").read_text() == "old"
    assert os.listdir(tmp_path) == ["model"]


@pytest.mark.parametrize(("umask", "file_mode"), [(0o077, 0o600), (0o022, 0o644), (0o002, 0o664)])
def test_the_umask_decides_who_reads_what_is_written(
    workspace: Path, umask: int, file_mode: int
) -> None:
    before = os.umask(umask)
    try:
        jsonl.write(Path("rows.jsonl"), [])
        with atomic_folder(Path("model")) as folder:
            (folder / "inner").mkdir()
            (folder / "inner/weights").touch(0o600)  # as safetensors does
        with Ledger(Path(".ledger/ledger.sqlite")) as ledger, ledger.transaction():
            InFlightLocks(ledger.path).close()
            modes = {path: path.stat().st_mode & 0o777 for path in Path().rglob("*")}
    finally:
        os.umask(before)
    assert {mode for path, mode in modes.items() if path.is_file()} == {file_mode}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o777 & ~umask}
    assert Path(".ledger/ledger.sqlite-wal") in modes
