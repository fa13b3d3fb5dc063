"""`alpacare import`: files in every form, with the project's settings; no network, no server."""

import csv
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import run
from own_project import git, make_project

from alpacare.cli.main import main
from alpacare.core import jsonl
from alpacare.pipeline.params import read_params
from alpacare.pipeline.sources import repro_targets
from alpacare.records.response import Response
from alpacare.records.task import row_id

Rows = list[dict[str, Any]]
ROWS: Rows = [
    {"instruction": "Is tea good for a cold?", "input": "N/A", "output": "It soothes."},
    {"instruction": 'Read "3 mg, b.i.d."', "input": "Line one\nline two", "output": "Twice, daily"},
]


# joiners inside a Persian word and an emoji, which are part of them, and a soft hyphen
JOINED = "\u0645\u06cc\u200c\u0631\u0648\u062f \U0001f469\u200d\u2695\ufe0f \u00ad"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    make_project(folder)
    return folder


@pytest.fixture
def project(prepared: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = workspace / "project"
    shutil.copytree(prepared, folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(workspace / "site"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    return folder


def write(name: str, rows: Rows) -> Path:
    """Write rows in the form that the name's ending says."""
    path = Path("..") / name
    if path.suffix == ".json":
        path.write_text(json.dumps(rows, indent=1))
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n\n" for row in rows))
    elif path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        text = io.StringIO(newline="")
        table = csv.DictWriter(text, rows[0])
        table.writeheader()
        table.writerows(rows)
        path.write_text("\ufeff" + text.getvalue(), newline="")
    return path


def import_rows(*words: object) -> str:
    result = run(main, "import", *words)
    assert result.exit_code == 0, result.output
    return result.output


def fail(*words: object) -> str:
    """Run the command, which must print one line and change nothing."""
    before = Path("params.yaml").read_bytes(), git(Path.cwd(), "status", "--short")
    result = run(main, "import", *words)
    assert (result.exit_code, result.output.strip().count("\n")) == (2, 0), result.output
    assert (Path("params.yaml").read_bytes(), git(Path.cwd(), "status", "--short")) == before
    assert not list(Path("data").glob("imported/*"))
    return result.output


def test_a_file_of_ones_own_becomes_what_students_learn_from(project: Path) -> None:
    output = import_rows("responses", write("ours.csv", ROWS), "--model", "a nurse")
    rows = jsonl.read(Path("data/imported/ours.jsonl"), Response, unique="id")
    assert [(row.instruction, row.input, row.output) for row in rows] == [
        ("Is tea good for a cold?", "", "It soothes."),
        ('Read "3 mg, b.i.d."', "Line one\nline two", "Twice, daily"),
    ]
    assert rows[0].id == row_id("Is tea good for a cold?", "")
    assert [row.request for row in rows] == ["ours:1", "ours:2"]
    assert {(row.model, row.finish_reason) for row in rows} == {("a nurse", "unknown")}
    assert 'repaired: inputs "N/A" read as none (1)' in output
    assert 'sources.responses: "responses" -> "imported/ours"' in output
    params = read_params()
    assert params.sources.responses == "imported/ours"
    wanted = repro_targets(params)
    assert "checkpoint" in wanted
    assert not {"seeds", "instructions", "filtered", "responses"} & set(wanted)
    changed = git(project, "status", "--short", "--untracked-files=all").splitlines()
    assert [line[3:] for line in changed] == ["params.yaml", "data/imported/ours.jsonl.dvc"]


def test_settings_that_are_wrong_stop_it_before_anything_is_written(project: Path) -> None:
    params = Path("params.yaml")
    params.write_text(params.read_text().replace("rouge_l: 0.7", "rogue_l: 0.7"))
    assert "did you mean 'rouge_l'?" in fail("responses", write("a.json", ROWS), "--model", "m")


def test_a_preset_restores_the_pipelines_own_sources(project: Path) -> None:
    before = Path("params.yaml").read_bytes()
    import_rows("responses", write("ours.json", ROWS), "--model", "m")
    assert run(main, "preset", "demo").exit_code == 0
    assert Path("params.yaml").read_bytes() == before


def test_only_what_dvc_can_restore_is_replaced(project: Path) -> None:
    file = write("ours.json", ROWS)
    import_rows("responses", file, "--model", "m")
    import_rows("responses", write("ours.json", ROWS[:1]), "--model", "m")
    out = Path("data/imported/ours.jsonl")
    out.chmod(0o644)
    out.write_text("mine\n")
    result = run(main, "import", "responses", file, "--model", "m")
    assert result.exit_code == 2
    assert "exists, and DVC has no copy of it; move it away" in result.output
    assert out.read_text() == "mine\n"


@pytest.mark.parametrize(
    ("name", "content", "words", "message"),
    [
        ("a.json", '[{"instruction": "x"}]', ["--model", "m"], "a.json: row 1: no column 'output'"),
        ("a.json", '[{"instruction": "x", "outputs": "y"}]', ["--model", "m"], "'outputs'?"),
        ("a.json", '[{"instruction": "x", "output": "y"}]', [], "who wrote the answers? give --mo"),
        (
            "a.jsonl",
            '{"instruction": ["x"], "output": "y"}',
            ["--model", "m"],
            "1 not_text: ../a.jsonl:1: 'instruction' must be text, found list",
        ),
        ("a.jsonl", '{"instruction": "x"}\n{"in', ["--column", "output=instruction"], "who wrote"),
        (
            "a.json",
            '{\n"a": 1,\n"b',
            ["--model", "m"],
            "a.json: not valid JSON (unterminated string",
        ),
        ("a.json", '"x"', ["--model", "m"], "a.json: holds no rows, but one str"),
        (
            "a.jsonl.gz",
            "no gzip",
            ["--model", "m"],
            "a.jsonl.gz: not a whole gzip file (Not a gzip",
        ),
        ("a.jsonl", "[1]", ["--model", "m"], "a.jsonl: row 1: expected a JSON object, found int"),
        (
            "a.csv",
            "instruction,output\nx\n",
            ["--model", "m"],
            "1 unreadable: ../a.csv: row 1: 2 columns with a name, and it has 1",
        ),
        (
            "a.csv",
            'instruction,output\n"x\n',
            ["--model", "m"],
            "a.csv: line 2: not CSV (unexpected",
        ),
        ("a.csv", "output,output\nx,y\n", ["--model", "m"], "two columns are called 'output'; ren"),
        ("a.parquet", "PAR1", ["--model", "m"], "a.parquet: not a whole Parquet file"),
        ("a.xlsx", "x", ["--model", "m"], "'.xlsx' cannot be read; give .json, .jsonl, .csv"),
        ("a.json", "[]", ["--model", "m"], "a: the file has no rows"),
        ("a.csv", "", ["--model", "m"], "a.csv: is empty; was its copy or download cut off?"),
        (
            "a.json",
            '[{"instruction": "", "output": ""}]',
            ["--model", "m"],
            "not one row can be us",
        ),
        ("a.json", "[{}]", ["--model", "m", "--column", "answers=x"], "no such field of responses"),
        (
            "a.json",
            "[{}]",
            ["--model", "m", "--column", "output"],
            "--column output: write OURS=TH",
        ),
        ("a b.json", "[{}]", ["--model", "m"], "begin with a letter or digit; or give a name: --n"),
        ("a.csv", "<!DOCTYPE html>\n<p>Sign in", ["--model", "m"], "a.csv: is a web page (HTML) a"),
        ("a.json", "<html>Sign in</html>", ["--model", "m"], "a.json: is a web page (HTML) and n"),
    ],
)
def test_wrong_input_is_one_line(
    project: Path, name: str, content: str, words: list[str], message: str
) -> None:
    path = Path("..") / name
    path.write_text(content)
    assert message in fail("responses", path, *words)


def test_a_file_that_is_not_there(project: Path) -> None:
    assert "../none.json: no such file" in fail("instructions", "../none.json")
    assert "leave it out" in fail("instructions", write("a.json", ROWS), "--model", "m")
    told = fail("instructions", "https://ann:S3cretpw@example.org")
    assert "an address is given where a file is wanted" in told
    assert "S3cretpw" not in told
