"""`alpacare import`: files in every form, with the project's settings; no network, no server."""

import csv
import io
import json
import shutil
import time
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
from alpacare.records.task import AnyTask, row_id

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


@pytest.mark.parametrize("ending", ["json", "jsonl", "csv", "parquet"])
def test_every_form_gives_the_same_rows(project: Path, ending: str) -> None:
    output = import_rows("responses", write(f"ours.{ending}", ROWS), "--model", "a nurse")
    rows = jsonl.read(Path("data/imported/ours.jsonl"), Response, unique="id")
    assert [(row.instruction, row.input, row.output) for row in rows] == [
        ("Is tea good for a cold?", "", "It soothes."),
        ('Read "3 mg, b.i.d."', "Line one\nline two", "Twice, daily"),
    ]
    assert rows[0].id == row_id("Is tea good for a cold?", "")
    assert [row.request for row in rows] == ["ours:1", "ours:2"]
    assert {(row.model, row.finish_reason) for row in rows} == {("a nurse", "unknown")}
    assert 'repaired: 1 inputs "N/A" read as none' in output
    assert 'sources.responses: "responses" -> "imported/ours"' in output
    params = read_params()
    assert params.sources.responses == "imported/ours"
    wanted = repro_targets(params)
    assert "checkpoint" in wanted
    assert not {"seeds", "instructions", "filtered", "responses"} & set(wanted)
    changed = git(project, "status", "--short", "--untracked-files=all").splitlines()
    assert [line[3:] for line in changed] == ["params.yaml", "data/imported/ours.jsonl.dvc"]


def test_instructions_keep_what_is_known_of_them(project: Path) -> None:
    rows = [
        {"question": "Explain anaemia.", "kind": "Open Q&A", "level": 2, "more": "x"},
        {"question": "Sum this up.", "kind": "riddle", "level": None, "more": "y"},
    ]
    columns = ["--column", "instruction=question", "--column", "type=kind"]
    columns += ["--column", "difficulty=level"]
    output = import_rows("instructions", write("q.json", rows), *columns)
    made = [json.loads(line) for line in Path("data/imported/q.jsonl").read_text().splitlines()]
    assert [row.get("type") for row in made] == ["open QA", None]
    assert [row.get("difficulty") for row in made] == [2, None]
    assert "repaired: 1 type unknown, set to null" in output
    assert "repaired: 2 fields 'more' not read" in output
    assert jsonl.read(Path("data/imported/q.jsonl"), AnyTask)[0].instruction == "Explain anaemia."
    assert read_params().sources.instructions == "imported/q"
    assert "instructions" not in repro_targets(read_params())


def test_responses_keep_what_students_can_choose_by(project: Path) -> None:
    """A column that means something else is no error, and one that is not there no repair."""
    kinds: Rows = [
        {"type": "Open Q&A", "topic": "Cardiology", "view": ["a", "b"], "difficulty": 4},
        {"type": "riddle", "topic": "", "view": None, "difficulty": "hard"},
    ]
    rows = [row | kind for row, kind in zip(ROWS, kinds, strict=True)]
    output = import_rows("responses", write("ours.json", rows), "--model", "m")
    first, second = jsonl.read(Path("data/imported/ours.jsonl"), Response)
    assert (first.type, first.topic, first.view, first.difficulty) == (
        "open QA",
        "Cardiology",
        None,
        4,
    )
    assert (second.type, second.topic, second.difficulty) == (None, None, None)
    for line in ("1 type unknown", "1 difficulty unknown", "1 fields 'view' not read"):
        assert f"repaired: {line}" in output
    plain = import_rows("responses", write("plain.json", ROWS), "--model", "m")
    assert "unknown" not in plain
    assert "not read" not in plain


def test_dropped_rows_are_counted_and_named(project: Path) -> None:
    more = [
        {"instruction": "", "input": "x", "output": "y"},
        {"instruction": "Z", "output": None},
        {**ROWS[0], "input": ""},
    ]
    output = import_rows(
        "responses", write("ours.jsonl", [*ROWS, *more]), "--model", "m", "--name", "mine"
    )
    for line in (
        "data/imported/mine.jsonl: 2 of 5 rows",
        "dropped: 1 no_instruction",
        "dropped: 1 no_response",
        "dropped: 1 same_task",
        "each is in data/dropped/imported/mine.jsonl",
    ):
        assert line in output
    dropped = Path("data/dropped/imported/mine.jsonl").read_text().splitlines()
    assert [json.loads(row)["witness"] for row in dropped] == ["mine:3", "mine:4", "mine:1"]


def test_texts_that_come_in_have_one_rule(project: Path) -> None:
    """Control characters go, what shows nothing is empty, decomposed letters make no other row."""
    rows = [
        {
            "instruction": "Is \x1b[31mred\x1b[0m wine\x00 safe?",
            "output": "Patient\x92s choice",
        },
        {"instruction": "\u200b\ufeff", "output": "y"},
        {"instruction": "Explain.", "output": "\u200d \u2060"},
        {"instruction": "Caf\u00e9?", "output": "y"},
        {"instruction": "Cafe\u0301?", "output": "y"},
        {"instruction": JOINED, "output": "\ta\r\nb\u2028"},
    ]
    output = import_rows("responses", write("ours.jsonl", rows), "--model", "m")
    made = jsonl.read(Path("data/imported/ours.jsonl"), Response)
    assert [(row.instruction, row.output) for row in made] == [
        ("Is red wine safe?", "Patient\u2019s choice"),
        ("Café?", "y"),
        (JOINED, "a\r\nb"),
    ]
    for line in (
        "dropped: 1 no_instruction",
        "dropped: 1 no_response",
        "dropped: 1 same_task",
        "repaired: 2 texts with control characters, now without",
        "repaired: 2 texts of invisible characters, read as empty",
    ):
        assert line in output
    dropped = Path("data/dropped/imported/ours.jsonl").read_text().splitlines()
    assert json.loads(dropped[2])["witness"] == "ours:4"


def test_who_answered_is_read_from_the_row_or_else_from_the_command(project: Path) -> None:
    rows = [ROWS[0] | {"by": "gpt-4"}, ROWS[1] | {"by": ""}]
    file = write("ours.csv", rows)
    output = import_rows("responses", file, "--column", "model=by")
    assert "repaired: 1 answers without a model's name: model unknown" in output
    import_rows("responses", file, "--column", "model=by", "--model", "a nurse")
    made = jsonl.read(Path("data/imported/ours.jsonl"), Response)
    assert [row.model for row in made] == ["gpt-4", "a nurse"]


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
        ("a.jsonl", '{"instruction": 3, "output": "y"}', ["--model", "m"], "a.jsonl:1: 'instructi"),
        ("a.jsonl", '{"instruction": "x"}\n{"in', ["--column", "output=instruction"], "who wrote"),
        (
            "a.jsonl",
            '{"instruction": "x", "output": "y"}\n{"in',
            ["--model", "m"],
            "a.jsonl:2: not",
        ),
        ("a.jsonl", "[1]", ["--model", "m"], "a.jsonl: row 1: expected a JSON object, found int"),
        (
            "a.csv",
            "instruction,output\nx\n",
            ["--model", "m"],
            "a.csv: row 1: 2 columns have a nam",
        ),
        ("a.csv", "output,output\nx,y\n", ["--model", "m"], "two columns are called 'output'; ren"),
        ("a.parquet", "PAR1", ["--model", "m"], "a.parquet: not a whole Parquet file"),
        ("a.xlsx", "x", ["--model", "m"], "'.xlsx' cannot be read; give .json, .jsonl, .csv"),
        ("a.json", "[]", ["--model", "m"], "a: the file has no rows"),
        (
            "a.json",
            '[{"instruction": "", "output": ""}]',
            ["--model", "m"],
            "not one row can be us",
        ),
        ("a.json", "[{}]", ["--model", "m", "--column", "answer=x"], "no such field of responses"),
        (
            "a.json",
            "[{}]",
            ["--model", "m", "--column", "output"],
            "--column output: write OURS=TH",
        ),
        ("a b.json", "[{}]", ["--model", "m"], "'a b' is not a valid name: use letters, digits"),
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


def test_a_large_file_takes_seconds(project: Path) -> None:
    """As many rows as MedInstruct-52k; the limit is for a busy machine."""
    rows = [{"instruction": f"Task {n} " + "x " * 40, "output": "y " * 150} for n in range(52_002)]
    file = write("large.parquet", rows)
    start = time.monotonic()
    assert "52,002 of 52,002 rows" in import_rows("responses", file, "--model", "m")
    assert time.monotonic() - start < 30, "4 s on an idle machine"
