"""Benchmarks that come with it, are fetched, or are one's own; every row was written for this."""

import csv
import hashlib
import importlib.util
import json
import shutil
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import REPOSITORY, run
from hub_downloads import Hub, running_hub
from own_project import git, make_project
from ruamel.yaml import YAML

from alpacare.cli.main import main
from alpacare.core.settings import check, read_yaml
from alpacare.datasets.benchmark_items import BenchmarkFile, BenchmarkItems, read_items
from alpacare.datasets.catalogue import PublishedDataset
from alpacare.datasets.sources import Part, open_source
from alpacare.records.benchmark_item import BenchmarkItem, read_benchmark

Rows = list[dict[str, Any]]
COMMIT = "0123456789" * 4
OUT = Path("data/benchmarks/bones.jsonl")
BONES = ["Femur", "Ulna", "Tibia", "Stapes"]
ASKED = "Which bone is in the arm?"
FIRST = {"question": "Which bone is the longest?"}  # its first option is right: numbers show 0 or 1


def lettered(*names: str) -> dict[str, str]:
    return dict(zip(names, BONES, strict=True))


def write(path: Path, rows: Any) -> Path:
    """Write rows in the form that the name's ending says."""
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".csv":
        with path.open("w") as file:
            csv.writer(file).writerows(rows)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        path.write_text(json.dumps(rows))
    return path


def read(path: Path, strict: bool = True, subject: str | None = None) -> BenchmarkItems:
    rows = list(open_source(str(path), Part()).rows)
    found = read_items([BenchmarkFile(str(path), rows, subject)], {}, strict)
    assert len(rows) == len(found.items) + len(found.dropped)
    return found


HEADQA = {
    "name": "Cuaderno_2013_1_B",
    "category": "biology",
    "qtext": ASKED,
    "ra": 2,
    "answers": [{"aid": n, "atext": text} for n, text in enumerate(BONES, start=1)],
}
PUBMEDQA = {
    "12": {"QUESTION": "Does rest help?", "CONTEXTS": ["We slept.", "So did they."]},
    "345": {"QUESTION": "Do stairs?", "CONTEXTS": ["We ran."], "final_decision": "maybe"},
}
PUBMEDQA["12"]["final_decision"] = "no"
# the published forms: the file's name, its rows, and the subject and right option of the first
FORMS: dict[str, tuple[str, Any, str | None, int]] = {
    "MedQA": (
        "a.jsonl",
        [{"question": ASKED, "answer": "Ulna", "options": lettered(*"ABCD"), "answer_idx": "B",
          "meta_info": "step1"}],
        "step1",
        1,
    ),
    "MedMCQA, as on GitHub": (
        "a.json",
        [{"question": ASKED, **lettered("opa", "opb", "opc", "opd"), "cop": 2,
          "subject_name": "Anatomy"},
         {**FIRST, **lettered("opa", "opb", "opc", "opd"), "cop": 4}],
        "Anatomy",
        1,
    ),
    "MedMCQA, as on the Hub": (
        "a.parquet",
        [{"question": ASKED, **lettered("opa", "opb", "opc", "opd"), "cop": 1},
         {**FIRST, **lettered("opa", "opb", "opc", "opd"), "cop": 0}],
        None,
        1,
    ),
    "MMLU": ("a.csv", [[ASKED, *BONES, "B"], [FIRST["question"], *BONES, "A"]], None, 1),
    "MMLU, as on the Hub": (
        "a.parquet",
        [{"question": ASKED, "subject": "anatomy", "choices": BONES, "answer": 1},
         {**FIRST, "subject": "anatomy", "choices": BONES, "answer": 0}],
        "anatomy",
        1,
    ),
    "PubMedQA": ("a.json", PUBMEDQA, None, 1),
    "PubMedQA, as on the Hub": (
        "a.parquet",
        [{"pubid": 12, "question": "Does rest help?", "final_decision": "no",
          "context": {"contexts": ["We slept.", "So did they."], "labels": ["a", "b"]}}],
        None,
        1,
    ),
    "HEAD-QA": ("a.parquet", [HEADQA, {**HEADQA, "qtext": "Last?", "ra": 4}], "biology", 1),
    "HEAD-QA, options as two lists": (
        "a.parquet",
        [{**HEADQA, "answers": {"aid": [1, 2, 3, 4], "atext": BONES}}],
        "biology",
        1,
    ),
    "CareQA": (
        "a.json",
        [{"question": ASKED, **lettered("op1", "op2", "op3", "op4"), "cop": 2,
          "category": "Nursing", "unique_id": "x"},
         {**FIRST, **lettered("op1", "op2", "op3", "op4"), "cop": 4, "category": "Nursing"}],
        "Nursing",
        1,
    ),
    "TruthfulQA": (
        "a.parquet",
        [{"question": ASKED, "mc1_targets": {"choices": BONES, "labels": [0, 1, 0, 0]}}],
        None,
        1,
    ),
    "ARC, as on the Hub": (
        "a.jsonl",
        [{"question": ASKED, "choices": {"label": ["1", "2", "3", "4"], "text": BONES},
          "answerKey": "2"}],
        None,
        1,
    ),
    "ARC, options as objects": (
        "a.jsonl",
        [{"question": ASKED, "answerKey": "B",
          "choices": [{"label": letter, "text": text} for letter, text in
                      zip("ABCD", BONES, strict=True)]}],
        None,
        1,
    ),
    "ARC, AI2's own": (
        "a.jsonl",
        [{"question": {"stem": ASKED, "choices": [{"text": text, "label": letter} for letter, text
                                                  in zip("ABCD", BONES, strict=True)]},
          "answerKey": "B"}],
        None,
        1,
    ),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_a_published_form_is_read(form: str, workspace: Path) -> None:
    name, rows, subject, right = FORMS[form]
    items = read(write(Path(name), rows)).items
    assert len(items) == len(rows)
    assert (items[0].answer, items[0].subject) == (right, subject)
    if form.startswith("PubMedQA"):
        assert items[0].choices == ["yes", "no", "maybe"]
        assert items[0].context == "We slept.\n\nSo did they."
    else:
        assert (items[0].question, items[0].choices) == (ASKED, BONES)
        assert items[0].context is None


OPTIONS = lettered(*"ABCD")
GOOD = {"question": ASKED, "options": OPTIONS, "answer": "B"}
MANY = [f"drug {n}" for n in range(27)]
BAD: dict[str, tuple[Rows, str]] = {
    # options are never cut off, nor passed over
    "27 options": (
        [{"question": ASKED, "choices": MANY, "answer": 26}],
        "bones.jsonl:1: 27 options; give two to 26",
    ),
    "options in one text": (
        [{"question": ASKED, "options": "A) Ulna B) Femur", "answer": "A"}],
        "bones.jsonl:1: 'options' is no list of options; make it one",
    ),
    "no right option": (
        [GOOD, {**GOOD, "answer": "E"}, {**GOOD, "answer": "Rib"}],
        "bones.jsonl:2: the right answer, 'answer' 'E', is none of the options; and 1 more row",
    ),
    "two right options, named": (
        [{**GOOD, "answer": ["B", "D"]}],
        "bones.jsonl:1: the right answer, 'answer' ['B', 'D'], may be several of the options",
    ),
    "two right options, as texts": (
        [GOOD, {**GOOD, "question": "Which?", "options": OPTIONS | {"D": "Ulna"}}],
        "bones.jsonl:2: two right answers: choices B and D are the same text",
    ),
    "two marked right": (
        [{"question": ASKED, "mc1_targets": {"choices": BONES, "labels": [1, 0, 1, 0]}}],
        "bones.jsonl:1: the right answer, 'answer_idx' ['A', 'C'], may be several of the options",
    ),
    "two wrong options are the same": (
        [{**GOOD, "options": OPTIONS | {"D": "Femur"}}],
        "bones.jsonl:1: options A and D are the same text",
    ),
    "an option is empty": (
        [{**GOOD, "options": OPTIONS | {"C": " "}}],
        "bones.jsonl:1: option C is empty; delete it or fill it in",
    ),
    "two options with one label": (
        [{"question": ASKED, "answerKey": "B", "choices": [
            {"label": "B", "text": "Ulna"}, {"label": "B", "text": "Femur"}]}],
        "bones.jsonl:1: the right answer, 'answerKey' 'B', is none of the options",
    ),
    "a number that is no label": (
        [{**HEADQA, "ra": 0}],
        "bones.jsonl:1: the right answer, 'answer_idx' 0, is none of the options",
    ),
    "nobody says which is right": (
        [{"question": ASKED, "options": OPTIONS}],
        "bones.jsonl:1: no column says which option is right",
    ),
    "an empty context": (
        [{"QUESTION": "Does it?", "CONTEXTS": ["We ran."], "final_decision": "yes"},
         {"QUESTION": "Does rest?", "CONTEXTS": [], "final_decision": "no"}],
        "bones.jsonl:2: no context, which other rows have",
    ),
    "one item twice": (
        [GOOD, GOOD],
        "bones.jsonl:2: the same item as bones.jsonl:1; keep one of them",
    ),
    "no options": (
        [GOOD, {"question": "Why?", "answer": "B"}],
        "bones.jsonl:2: no question with options, as other rows have",
    ),
    "a text without an answer": (
        [{"question": "Why?", "answer": "So."}, {"question": "How?", "answer": ""}],
        "bones.jsonl:2: no 'answer': options, or the text of a good one",
    ),
    "no question": ([{"stem": "Why?", "answer": "So."}], "bones.jsonl:1: no 'question'; the row"),
}  # fmt: skip


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    make_project(folder)
    return folder


@pytest.fixture
def project(prepared: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(workspace / "site"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    shutil.copytree(prepared, workspace / "project")
    monkeypatch.chdir(workspace / "project")
    return workspace / "project"


def bring(*words: str) -> str:
    result = run(main, *words)
    assert result.exit_code == 0, result.output
    return result.output


def fail(*words: str) -> str:
    """Run a command that must print one line and leave nothing."""
    result = run(main, *words)
    assert (result.exit_code, result.output.count("\n")) == (2, 1), result.output
    assert git(Path.cwd(), "status", "--short", "--untracked-files=all") == ""
    return result.output


def test_bad_rows_of_ones_own_are_one_line_and_nothing_is_written(project: Path) -> None:
    for rows, message in BAD.values():
        write(project.parent / "bones.jsonl", rows)
        line = fail("benchmark", "bones", "../bones.jsonl").replace("../", "")
        assert line.startswith(f"error: {message}"), line
        assert line.endswith("; nothing was written\n")


def test_an_option_without_a_label_is_one(workspace: Path) -> None:
    for labels in (["A", "B"], 3):
        options = {"label": labels, "text": BONES}
        row = {"question": ASKED, "choices": options, "answerKey": "B"}
        (item,) = read(write(Path("a.jsonl"), [row])).items
        assert (item.choices, item.answer) == (BONES, 1)


def test_genotypes_differ_by_case_alone(workspace: Path) -> None:
    row = {"question": "Who carries the trait?", "choices": ["AA", "Aa", "aa"], "answer": "Aa"}
    assert read(write(Path("a.jsonl"), [row])).items[0].answer == 1


def test_rows_of_a_published_file_are_dropped_and_counted(workspace: Path) -> None:
    rows = [GOOD, {**GOOD, "answer": "E"}, {**GOOD, "question": "Which?", "options":
            OPTIONS | {"D": "Femur"}}, GOOD]  # fmt: skip
    found = read(write(Path("a.jsonl"), rows), strict=False)
    assert [item.question for item in found.items] == [ASKED, "Which?"]
    assert [row.reason for row in found.dropped] == ["no_choice", "same_item"]
    assert found.repairs["items with wrong options that are the same, which stay"] == 1


def test_ones_own_file_becomes_a_benchmark(project: Path) -> None:
    write(project.parent / "arm.csv", [[ASKED, *BONES, "B"]])
    write(project.parent / "ear.csv", [["Which bone is in the ear?", *BONES, "D"]])
    output = bring("benchmark", "bones", "arm=../arm.csv", "ear=../ear.csv")
    items = read_benchmark(OUT)
    assert [(item.subject, item.answer) for item in items] == [("arm", 1), ("ear", 3)]
    for line in (
        f"{OUT}: 2 items; right answers: B 1, D 1",
        "written: benchmarks/bones/task.yaml, with defaults; see whether they fit",
        "next: in params.yaml, add bones to `benchmarks`; then commit",
    ):
        assert line in output
    assert ask("benchmarks/bones", items[0]) == (
        f"Question: {ASKED}\nA. Femur\nB. Ulna\nC. Tibia\nD. Stapes\nAnswer:",
        ["A", "B", "C", "D"],
    )
    changed = git(project, "status", "--short", "--untracked-files=all").splitlines()
    assert [line[3:] for line in changed] == [
        "benchmarks/bones/README.md",
        "benchmarks/bones/task.yaml",
        "data/benchmarks/.gitignore",
        f"{OUT}.dvc",
    ]
    card = Path("benchmarks/bones/README.md")
    card.write_text("mine\n")
    stem = {"stem": "Why?", "key": "So.", "context": "It rains."}
    write(project.parent / "text.jsonl", [stem])
    named = ("--column", "question=stem", "--column", "answer=key")
    again = bring("benchmark", "bones", "../text.jsonl", *named)
    assert "written" not in again
    assert card.read_text() == "mine\n"
    (item,) = read_benchmark(OUT)
    assert (item.question, item.answer, item.context) == ("Why?", "So.", "It rains.")


@pytest.fixture
def hub() -> Iterator[Hub]:
    with running_hub() as hub:
        yield hub


def catalogue(hub: Hub, rows: int, *names: str, **more: Any) -> None:
    """Name files of the server in the catalogue, "SUBJECT=NAME" or "NAME" each."""
    entry = {"kind": "benchmark", "rows": rows, "licence": "CC0 (us)", **more}
    lines = [f"  {key}: {json.dumps(value)}" for key, value in entry.items()]
    for name in names:
        who, sign, file = name.rpartition("=")
        lines += ["  files:"] * (name == names[0]) + [
            f"    {who}{sign}{hub.url}/{COMMIT}/{file}: null"
        ]
    Path("configs/datasets.yaml").write_text("\n".join(["bones:", *lines, ""]))
    git(Path.cwd(), "add", "configs/datasets.yaml")
    words = ("-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-q", "-m", "catalogue")
    git(Path.cwd(), *words)


def test_a_published_benchmark_is_fetched(project: Path, hub: Hub) -> None:
    hub.files = {
        "all.json": json.dumps(PUBMEDQA).encode(),
        "ids.json": json.dumps({"345": "maybe"}).encode(),
    }
    catalogue(hub, 2, "all.json", "only=ids.json")
    output = bring("fetch", "bones")
    (item,) = read_benchmark(OUT)
    assert (item.question, item.answer) == ("Do stairs?", 2)
    for line in (
        f"{OUT}: 1 item; right answers: C 1",
        "left out: 1 row not part of it",
        "licence: CC0 (us)",
    ):
        assert line in output
    record = read_yaml(OUT.with_name("bones.jsonl.dvc"))
    assert record["meta"] == {
        "source": [f"{hub.url}/{COMMIT}/all.json", f"{hub.url}/{COMMIT}/ids.json"],
        "licence": "CC0 (us)",
    }
    assert record["outs"][0]["md5"] == hashlib.md5(OUT.read_bytes()).hexdigest()
    now = read_yaml(Path("configs/datasets.yaml"))["bones"]["files"]
    assert [*now.values()] == [hashlib.sha256(text).hexdigest() for text in hub.files.values()]


def test_subjects_and_columns_of_the_catalogue(project: Path, hub: Hub) -> None:
    rows = [{"stem": text, "key": "So.", "subject": text} for text in ("a", "b", "c")]
    hub.files = {"all.jsonl": "".join(json.dumps(row) + "\n" for row in rows).encode()}
    columns = {"question": "stem", "answer": "key"}
    catalogue(hub, 3, "all.jsonl", columns=columns, without_subjects=["b"])
    assert "left out: 1 row " in bring("fetch", "bones")
    assert [item.subject for item in read_benchmark(OUT)] == ["a", "c"]


def test_another_file_than_the_catalogue_says_is_refused(project: Path, hub: Hub) -> None:
    hub.files = {
        "all.json": json.dumps(PUBMEDQA).encode(),
        "ids.json": json.dumps({"9": "maybe"}).encode(),
    }
    catalogue(hub, 3, "all.json")
    assert "bones: 2 rows came, but configs/datasets.yaml says that there" in fail("fetch", "bones")
    catalogue(hub, 2, "all.json", "only=ids.json")
    assert "no row for 1 of 1 ids, as 9" in fail("fetch", "bones")
    catalogue(hub, 2, "all.json", kind="tests")
    assert "bones: is no benchmark but tests" in fail("benchmark", "bones", "x.json")
    assert "no benchmark 'other' in configs/datasets.yaml" in fail("benchmark", "other")


def ask(folder: Path | str, item: BenchmarkItem) -> tuple[str, list[str]]:
    """Give what a folder's task shows of an item, and the answers that it compares.

    As lm-eval fills in its templates (lm_eval/utils.py): strictly, and the text is then a list.
    """
    import ast

    from jinja2 import Environment, StrictUndefined

    task = read_task(Path(folder))
    fill = Environment(undefined=StrictUndefined, keep_trailing_newline=True).from_string
    values = item.model_dump()
    choices = task.get("doc_to_choice", "choices")
    found = values[choices] if choices == "choices" else ast.literal_eval(
        fill(choices).render(values)
    )  # fmt: skip
    return fill(task["doc_to_text"]).render(values), found


def read_task(folder: Path) -> dict[str, Any]:
    values: dict[str, Any] = YAML(typ="rt").load((folder / "task.yaml").read_text())
    return values


SHIPPED = sorted(path.parent for path in (REPOSITORY / "benchmarks").glob("*/README.md"))
TASKS = [folder for folder in SHIPPED if (folder / "task.yaml").exists()]
CARD = ["what", "size", "licence", "metric", "paper", "known problems"]


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_every_benchmark_has_a_card_and_an_address(folder: Path) -> None:
    lines = (folder / "README.md").read_text().splitlines()
    assert lines[0] == f"# {folder.name}"
    table = [line.split(" | ")[0] for line in lines if line.startswith("| ") and line != "| | |"]
    assert table == [f"| {name}" for name in CARD]
    if folder not in TASKS or folder.name == "own-mcq":
        return
    known = read_yaml(REPOSITORY / "configs/datasets.yaml")[folder.name]
    assert check(known, PublishedDataset, folder.name).kind == "benchmark"


@pytest.mark.parametrize("folder", TASKS, ids=lambda folder: folder.name)
def test_every_task_shows_its_items(folder: Path) -> None:
    task = read_task(folder)
    assert task["task"] == folder.name
    assert task["dataset_kwargs"]["data_files"] == {"test": f"data/benchmarks/{folder.name}.jsonl"}
    assert task["doc_to_target"] == "answer"
    examples = None if folder.name == "truthfulqa" else "test"  # lm-eval leaves the item itself out
    assert task.get("fewshot_split") == examples
    of_text = task["output_type"] == "generate_until"
    item = BenchmarkItem.model_construct(
        question=ASKED,
        context="We slept." if folder.name == "pubmedqa" else None,
        choices=[] if of_text else BONES,
        answer="So." if of_text else 1,
    )
    text, answers = ask(folder, item)
    assert ASKED in text
    assert text.endswith(":"), "lm-eval puts a blank before the answer"
    shown = [f"{letter}. {bone}\n" in text for letter, bone in zip("ABCD", BONES, strict=True)]
    if folder.name in ("pubmedqa", "truthfulqa"):
        assert (answers, any(shown)) == (BONES, False)
    elif not of_text:
        assert (answers, all(shown)) == ([*"ABCD"], True)


def test_our_own_benchmark_is_even() -> None:
    items = read_benchmark(REPOSITORY / "data/benchmarks/own-mcq.jsonl")
    assert Counter(item.answer for item in items) == dict.fromkeys(range(4), 10)
    assert set(Counter(item.subject for item in items).values()) == {4}
    assert {len(item.choices) for item in items} == {4}
    assert all(len(set(item.choices)) == 4 for item in items)
    lengths = [[len(text) for text in item.choices] for item in items]
    right = [item.answer for item in items]
    longest = [each[n] == max(each) and each.count(each[n]) == 1 for each, n in zip(
        lengths, right, strict=True)]  # fmt: skip
    assert 6 <= sum(longest) <= 12, "the longest option is right by chance only"
    repeated = sum(one == two for one, two in pairwise(right))
    assert 4 <= repeated <= 16, "about one in four follows itself"


def test_rouge_of_meqsum() -> None:
    spec = importlib.util.spec_from_file_location("r", REPOSITORY / "benchmarks/meqsum/rouge.py")
    assert spec
    assert spec.loader
    rouge = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(rouge)
    # 2 of 2 words, in other order 1 in sequence, of a reference of 3: F = 2pr / (p + r)
    assert rouge.rouge_1(["is tea good"], ["tea is"]) == pytest.approx(2 * 1 * (2 / 3) / (5 / 3))
    assert rouge.rouge_l(["is tea good"], ["tea is"]) == pytest.approx(2 * 0.5 / 3 / (0.5 + 1 / 3))
    assert rouge.rouge_l(["is tea good"], [""]) == 0
