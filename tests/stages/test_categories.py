"""`categories` and `category_counts`: sorted by a model on loopback, counted by hand."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY, run
from loopback import Running

from alpacare.core import jsonl
from alpacare.records.category import Category
from alpacare.records.task import row_id
from alpacare.stages.categories import main, read_group
from alpacare.stages.category_counts import main as counts

ASKED = {
    "Name the drug in this note.": "Information extraction",
    "Write a leaflet.": "Group: text generation.",
    "Why rest?": "This is question answering.",
    "Sing.": "other",
    "Hm.": "text generation or question answering",
}


@pytest.fixture
def sorter(workspace: Path, server: Running) -> Path:
    """The sorter that the project ships, asked of the server on loopback."""
    endpoint = {"base_url": server.url, "api_key": "OPENAI_API_KEY"}
    Path("params.yaml").write_text(json.dumps({"endpoints": {"openai": endpoint}}))
    server.configure(replies=[[f"Instruction: {text}", reply] for text, reply in ASKED.items()])
    rows = [{"id": row_id(text, ""), "instruction": text, "input": ""} for text in ASKED]
    Path("tasks.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return Path(shutil.copytree(REPOSITORY / "prompts/categories/gpt-4o", workspace / "gpt-4o"))


def sort() -> Any:
    return run(main, "gpt-4o", "tasks.jsonl", "out.jsonl", "--run", "run.json")


def test_sorted_once_counted_and_kept(
    sorter: Path, server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = sort()
    assert refused.exit_code == 2
    assert "5 of 5 answers are not in the ledger" in refused.output
    assert not Path("out.jsonl").exists()
    monkeypatch.setenv("BUDGET", "1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    done = sort()
    assert done.exit_code == 0, done.output
    assert "5 instructions sorted by 'gpt-4o', 1 reply not readable" in done.output
    rows = jsonl.read(Path("out.jsonl"), Category)
    assert [row.category for row in rows] == [
        "information extraction", "text generation", "question answering", "other", None,
    ]  # fmt: skip
    assert rows[1].raw == "Group: text generation."
    calls = server.state()["calls"]
    monkeypatch.delenv("BUDGET")
    assert sort().exit_code == 0
    assert server.state()["calls"] == calls
    assert run(counts, "out.jsonl", "run.json", "metrics.json").exit_code == 0
    told = json.loads(Path("metrics.json").read_text())
    assert (told["rows"], told["not_readable"], told["calls"]) == (5, 1, 5)
    assert set(told["groups"].values()) == {1}
    assert set(told["shares"].values()) == {0.25}
    assert told["entropy_bits"] == 2.0
    assert told["dollars"] > 0


@pytest.mark.parametrize(
    ("reply", "group"),
    [
        ("**Question Answering**", "question answering"),
        ("Category: other.", "other"),
        ("It is information\nextraction, I think.", "information extraction"),
        ("None of the other groups.", None),
        ("", None),
        ("QA", None),
    ],
)
def test_a_reply_is_read_or_left(reply: str, group: str | None) -> None:
    assert read_group(reply) == group


def test_wrong_input_is_one_line(sorter: Path) -> None:
    path = sorter / "settings.yaml"
    right = path.read_text()
    path.write_text(right.replace("temperature: 0 ", "temprature: 0 "))
    assert "gpt-4o/settings.yaml: temprature: unknown key" in sort().output
    path.write_text(right)
    (sorter / "user.txt").write_text("{{ question }}")
    assert "user.txt, line 1: unknown variable 'question'; there are: inst" in sort().output
    Path("tasks.jsonl").write_text('{"id": "x"}\n')
    done = sort()
    assert (done.exit_code, Path("out.jsonl").exists()) == (2, False)
    assert "tasks.jsonl:1: field 'instruction'" in done.output


def test_counts_want_the_file_beside(workspace: Path) -> None:
    Path("out.jsonl").write_text('{"id": "a", "category": "poem", "raw": "", "request": ""}\n')
    Path("run.json").write_text("[]")
    done = run(counts, "out.jsonl", "run.json", "metrics.json")
    assert "run.json: does not say how it was sorted" in done.output
    Path("run.json").write_text('{"calls": 1, "dollars": 0.0, "models": {}}')
    done = run(counts, "out.jsonl", "run.json", "metrics.json")
    assert (done.exit_code, Path("metrics.json").exists()) == (2, False)
    assert "out.jsonl:1: field 'category'" in done.output
    assert "none.jsonl: no such file" in run(counts, "none.jsonl", "run.json", "m.json").output
