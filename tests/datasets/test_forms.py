"""Rows of every form that people have, as they come in; each file was written for these tests."""

import gzip
import io
import json
import re
import shutil
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import REPOSITORY

from alpacare.core.errors import BadInput
from alpacare.datasets.json_tables import TableRow
from alpacare.datasets.multiple_choice import first_number
from alpacare.datasets.row_importer import ImportedRows, ImportStage, RowImporter
from alpacare.datasets.sources import Part, open_source
from alpacare.datasets.test_set_merge import PublishedFile, TestSet, merge
from alpacare.publishing.dataset_files import dataset_files
from alpacare.records.message import messages_id
from alpacare.records.response import Response
from alpacare.records.task import AnyTask, SortedTask

Rows = list[dict[str, Any]]
FEVER, MEASURE = "How is a fever measured?", "With a thermometer."
PLAIN: Rows = [
    {"instruction": FEVER, "input": "", "output": MEASURE},
    {"instruction": "Say it plainly.", "input": "Take b.i.d.", "output": "Take it twice a day."},
]
# joiners inside a Persian word and an emoji, which are part of them, and a soft hyphen
JOINED = "\u0645\u06cc\u200c\u0631\u0648\u062f \U0001f469\u200d\u2695\ufe0f \u00ad"


def said(*turns: str, system: str = "") -> list[dict[str, str]]:
    """A conversation in OpenAI's form, of user and assistant by turns."""
    roles = ["user", "assistant"] * len(turns)
    first = [{"role": "system", "content": system}] if system else []
    return first + [{"role": role, "content": text} for role, text in zip(roles, turns)]  # noqa: B905


def told(*turns: str) -> list[dict[str, str]]:
    """The same in ShareGPT's form."""
    names = {"user": "human", "assistant": "gpt"}
    return [{"from": names[turn["role"]], "value": turn["content"]} for turn in said(*turns)]


def write(name: str, rows: Any) -> Path:
    """Write rows in the form that the name's ending says."""
    path = Path(name)
    ending = path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix
    separator = {".tsv": "\t", ".csv": ","}.get(ending)
    if ending == ".parquet":
        file = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(rows), file)
        content = file.getvalue()
    elif separator:
        cells = [rows[0].keys(), *(row.values() for row in rows)]
        content = "".join(separator.join(row) + "\n" for row in cells).encode()
    elif ending == ".jsonl":
        content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    else:
        content = json.dumps(rows, indent=1).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def bring(path: Path, stage: ImportStage = "responses", **columns: str) -> ImportedRows:
    """Import a file; every row of it is kept, or dropped with its reason."""
    source = open_source(str(path), Part())
    rows = list(source.rows)
    model = "m" if stage == "responses" else None
    imported = RowImporter(stage, source.name, columns, model).import_rows(rows)
    assert len(rows) == len(imported.rows) + len(imported.dropped)
    return imported


def reasons(imported: ImportedRows | TestSet) -> list[str]:
    return [row.reason for row in imported.dropped]


def read_test(path: Path, **columns: str) -> TestSet:
    """Make a test set of one file; every row of it is a task, or dropped with its reason."""
    rows = list(open_source(str(path), Part()).rows)
    found = merge([PublishedFile(str(path), rows, columns=columns)])
    assert len(rows) == len(found.tasks) + len(found.dropped)
    return found


CHAT: Rows = [
    {"messages": said(FEVER, MEASURE)},
    {"messages": said(FEVER, MEASURE, system="You are a nurse.")},
    {"messages": said("I cough.", "Since when?", "Since May.", "See a doctor.")},
    {"messages": said("I sneeze.", "Since when?", "Since May.")},
    {"messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}]},
    {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}]},
    {"messages": [{"role": "tool", "content": "37.5"}]},
    {"messages": said(FEVER, MEASURE)[::-1]},
    {"messages": said(FEVER, MEASURE)},
]
SHAREGPT: Rows = [
    {"id": "1", "conversations": told(FEVER, MEASURE)},
    {"id": "2", "conversations": told("I cough.", "Since when?", "Since May.", "See a doctor.")},
    {"id": "3", "conversations": told(FEVER, MEASURE)[1:]},
]
OPTIONS = ["Femur", "Ulna", "Tibia", "Stapes"]
ARM = {"question": "Which bone is in the arm?"}
LETTERED = "A. Femur\nB. Ulna\nC. Tibia\nD. Stapes"
MEDQA: Rows = [
    {
        **ARM,
        "options": dict(zip("ABCD", OPTIONS, strict=True)),
        "answer_idx": "B",
        "answer": "Ulna",
    },
    {"question": "Whose blood?", "options": {"A": "B", "B": "A"}, "answer_idx": "B", "answer": "A"},
    {"question": "Whose is it?", "options": {"A": "x", "B": "y"}, "answer_idx": "A", "answer": "y"},
]
MEDMCQA: Rows = [
    {**ARM, **dict(zip(("opa", "opb", "opc", "opd"), OPTIONS, strict=True)), "cop": 2},
    {"question": "Last?", "opa": "x", "opb": "y", "opc": "z", "opd": "w", "cop": 4},
    {"question": "Which?", "opa": "x", "opb": "y", "opc": "z", "opd": "w", "cop": 5},
]
HUB_MMLU: Rows = [
    {**ARM, "subject": "anatomy", "choices": OPTIONS, "answer": 1},
    {"question": "First?", "subject": "anatomy", "choices": ["x", "y"], "answer": 0},
    {"question": "One?", "subject": "anatomy", "choices": ["x"], "answer": 0},
]
MMLU = "Which bone is in the arm?,Femur,Ulna,Tibia,Stapes,B\nOne, or two?,x,y\n"
PUBMEDQA = {
    "7": {"QUESTION": "Does rest help?", "CONTEXTS": ["We slept."], "final_decision": "maybe"},
    "8": {"QUESTION": "Does it?", "CONTEXTS": ["We ran."], "final_decision": "perhaps"},
}
OTHER_CHOICES: Rows = [
    {
        **ARM,
        "choices": [{"label": letter, "text": text} for letter, text in zip("ABCD", OPTIONS)],  # noqa: B905
        "answerKey": "B",
    },
    {"qtext": "Last?", "answers": [{"aid": 1, "atext": "x"}, {"aid": 2, "atext": "y"}], "ra": 2},
    {"question": "Which?", "op1": "x", "op2": "y", "op3": "z", "op4": "w", "cop": 4},
    {"question": "True?", "mc1_targets": {"choices": ["x", "y"], "labels": [1, 0]}},
    {"question": "True?", "mc1_targets": {"choices": ["x", "z"], "labels": [0, 0]}},
]
# each form of docs/own-data.md: its small file, and how many of its rows are kept by an import
FORMS: dict[str, tuple[str, Any, int]] = {
    "JSON": ("a.json", [*PLAIN, {"instruction": ["x"], "output": "y"}], 2),
    "JSON Lines": ("a.jsonl", [*PLAIN, 5], 2),
    "one JSON object": ("a.json", {"9": PLAIN[0], "10": {"instruction": "x", "output": ""}}, 1),
    "CSV": ("a.csv", [*PLAIN, {"a": "x"}], 2),
    "TSV": ("a.tsv", [*PLAIN, {"a": "x"}], 2),
    "Parquet": ("a.parquet", [*PLAIN, {"instruction": None, "output": "x"}], 2),
    ".gz": ("a.jsonl.gz", [*PLAIN, *PLAIN], 2),
    "OpenAI `messages`": ("a.jsonl", CHAT, 4),
    "ShareGPT `conversations`": ("a.json", SHAREGPT, 2),
    "MedQA": ("a.jsonl", MEDQA, 2),
    "MedMCQA": ("a.json", MEDMCQA, 2),
    "MMLU": ("a.parquet", HUB_MMLU, 2),
    "PubMedQA": ("a.json", PUBMEDQA, 1),
    "ARC, HEAD-QA, CareQA, TruthfulQA": ("a.json", OTHER_CHOICES, 4),
}


def table_of_forms() -> dict[str, str]:
    """The rows of the page's table of forms: all that it says, by form."""
    page = (REPOSITORY / "docs/own-data.md").read_text()
    table = page.split("## Formats")[1].split("---|\n")[1].split("\n\n")[0]
    return dict(re.findall(r"^\| ([^|]+?) \| (.*) \|$", table, re.MULTILINE))


def test_the_page_of_forms_names_those_that_are_tried_here() -> None:
    assert list(table_of_forms()) == [*FORMS, "`hf://ORG/NAME`", "a folder"]


@pytest.mark.parametrize("form", FORMS)
def test_each_form_comes_in_and_drops_what_the_page_says(form: str) -> None:
    name, rows, kept = FORMS[form]
    imported = bring(write(name, rows))
    assert len(imported.rows) == kept
    for row in imported.rows:
        response = Response.model_validate(row)
        SortedTask.model_validate(row)  # whose id is that of its question
        assert response.messages is None or response.id == messages_id(response.messages)
    assert imported.dropped
    said_there = set(re.findall(r"`(\w+)`", table_of_forms()[form]))
    assert set(reasons(imported)) <= said_there


def test_a_conversation_is_kept_whole_where_one_question_does_not_say_all() -> None:
    imported = bring(write("a.jsonl", CHAT))
    rows = [Response.model_validate(row) for row in imported.rows]
    plain, nurse, several, cut = rows
    assert (plain.instruction, plain.input, plain.output) == (FEVER, "", MEASURE)
    assert (plain.messages, cut.messages) == (None, None)
    assert (nurse.instruction, nurse.output) == (FEVER, MEASURE)
    assert [turn.role for turn in nurse.messages or ()] == ["system", "user", "assistant"]
    assert (several.instruction, several.output) == ("I cough.", "See a doctor.")
    assert [turn.content for turn in several.messages or ()][1:3] == ["Since when?", "Since May."]
    assert len({row.id for row in rows}) == 4, "the system turn is part of what is asked"
    assert "messages" not in plain.model_dump()
    assert imported.repairs["conversations without their last question, which has no answer"] == 1
    asked = bring(write("a.jsonl", CHAT), "instructions")
    assert [row["instruction"] for row in asked.rows] == [FEVER, "I sneeze.", "Hello"]
    assert [AnyTask.model_validate(row).messages for row in asked.rows] == [None] * 3
    assert (reasons(asked).count("several_turns"), asked.repairs["system turns not read"]) == (1, 1)


def test_turns_as_json_text_are_read_and_other_forms_are_named() -> None:
    text = [{"messages": json.dumps(said(FEVER, MEASURE))}, {"messages": "Human: hello"}]
    imported = bring(write("a.parquet", text))
    assert [(row["instruction"], row["output"]) for row in imported.rows] == [(FEVER, MEASURE)]
    assert reasons(imported) == ["no_conversation"]
    assert "'messages' is text and no list of turns as [{" in str(imported.dropped[0].witness)
    with pytest.raises(BadInput, match=r"'messages' is one object and no list of turns") as told:
        bring(write("b.jsonl", [{"messages": {"role": "user", "content": "x"}}]))
    assert "--column" not in str(told.value), "naming another column would not help"


def test_a_conversation_that_is_published_comes_in_again_as_it_was() -> None:
    rows = bring(write("a.jsonl", CHAT)).rows
    files = dataset_files([Response.model_validate(row) for row in rows])
    for name in ("train.jsonl", "train.json", "data/train-00000-of-00001.parquet"):
        content = files[name]
        assert isinstance(content, bytes)
        path = Path("again").with_suffix(Path(name).suffix)
        path.write_bytes(content)
        again = bring(path).rows
        assert [row["output"] for row in again] == [row["output"] for row in rows]
        assert [row.get("messages") for row in again] == [row.get("messages") for row in rows]


def test_of_several_choices_the_letters_stand_in_the_input() -> None:
    for name, rows in (("a.jsonl", MEDQA), ("a.json", MEDMCQA), ("a.parquet", HUB_MMLU)):
        found = read_test(write(name, rows))
        task = found.tasks[0]
        assert (task.instruction, task.input) == (ARM["question"], LETTERED)
        assert (task.type, task.answers) == ("multiple-choice QA", {"answer-key": "B. Ulna"})
        assert reasons(found) == ["no_choice"]
    whose = read_test(write("a.jsonl", MEDQA)).tasks[1]
    assert whose.answers == {"answer-key": "B. A"}, "a letter and a text that look alike"
    Path("mmlu.csv").write_text(MMLU)
    found = read_test(Path("mmlu.csv"))
    assert [(task.input, task.answers) for task in found.tasks] == [
        (LETTERED, {"answer-key": "B. Ulna"})
    ]
    assert reasons(found) == ["unreadable"]
    (task,) = read_test(write("a.json", PUBMEDQA)).tasks
    assert task.input == "We slept.\n\nA. yes\nB. no\nC. maybe"
    assert task.answers == {"answer-key": "C. maybe"}


def test_a_multiple_choice_in_columns_of_ones_own_names() -> None:
    rows: Rows = [
        {"题": "哪个?", "选项": ["甲", "乙"], "答案": "乙"},
        {"题": "?", "选项": [], "答案": ""},
    ]
    found = read_test(write("a.json", rows), question="题", options="选项", answer="答案")
    assert (found.tasks[0].input, found.tasks[0].answers) == (
        "A. 甲\nB. 乙",
        {"answer-key": "B. 乙"},
    )
    assert reasons(found) == ["no_question"]
    (row,) = bring(write("a.json", rows), question="题", options="选项", answer="答案").rows
    assert (row["output"], row["model"]) == ("B. 乙", "m")


def test_numbers_of_options_count_from_where_the_file_shows() -> None:
    pair = {"question": "Which?", "choices": ["x", "y", "z"]}
    for numbers, right in (([0, 2], ["A. x", "C. z"]), (["1", "3.0"], ["A. x", "C. z"])):
        rows = [{**pair, "question": f"{n}?", "answer": number} for n, number in enumerate(numbers)]
        found = read_test(write("a.json", rows))
        assert [task.answers["answer-key"] for task in found.tasks] == right
    with pytest.raises(BadInput, match="no row shows whether it counts from 0 or from 1"):
        read_test(write("a.json", [{**pair, "answer": 2}]))
    kept_back = read_test(write("a.json", [{**pair, "answer": -1}]))
    assert kept_back.answerers == []


def test_the_text_of_an_answer_counts_no_options() -> None:
    doses = {"question": "How many?", "opa": "0", "opb": "1", "opc": "2", "opd": "4"}
    rows = [{**doses, "cop": 4, "answer": "4"}, {**doses, "cop": 1, "answer": "0"}]
    assert first_number([TableRow(1, "", row) for row in rows]) == 1
    numbered = {"question": "Which?", "choices": ["x", "y"], "answer": 0}
    assert first_number([TableRow(1, "", numbered)]) == 0


def test_messy_values_are_mended_and_counted() -> None:
    Path("a.json").write_text("""[
        {"instruction": "How many chambers?", "input": NaN, "output": "<think>Hm.</think> Four."},
        {"instruction": "How many ribs?", "input": "&lt;noinput&gt;", "output": 24},
        {"instruction": "Cheer \\ud83d!", "input": "... --- ...", "output": "Yes \\ud83d\\ude00",
         "difficulty": NaN},
        {"instruction": "Is it?", "output": true}
    ]""")
    imported = bring(Path("a.json"))
    found = [(row["instruction"], row["input"], row["output"]) for row in imported.rows]
    assert found == [
        ("How many chambers?", "", "Four."),
        ("How many ribs?", "", "24"),
        ("Cheer !", "... --- ...", "Yes \U0001f600"),
    ]
    assert +imported.repairs == {
        "NaN and infinity read as nothing": 1,
        "answers with a model's thoughts, now without": 1,
        'inputs "&lt;noinput&gt;" read as none': 1,
        "numbers read as text": 1,
        "texts with half of an emoji, now without": 1,
    }
    (gone,) = imported.dropped
    assert gone.witness == "a.json: row 4: 'output' must be text, found bool"


def test_texts_that_come_in_have_one_rule() -> None:
    """Control characters go, what shows nothing is empty, decomposed letters make no other row."""
    rows = [
        {"instruction": "Is \x1b[31mred\x1b[0m wine\x00 safe?", "output": "Patient\x92s choice"},
        {"instruction": "\u200b\ufeff", "output": "y"},
        {"instruction": "Explain.", "output": "\u200d \u2060"},
        {"instruction": "Caf\u00e9?", "output": "y"},
        {"instruction": "Cafe\u0301?", "output": "y"},
        {"instruction": JOINED, "output": "\ta\r\nb\u2028"},
    ]
    imported = bring(write("ours.jsonl", rows))
    assert [(row["instruction"], row["output"]) for row in imported.rows] == [
        ("Is red wine safe?", "Patient\u2019s choice"),
        ("Café?", "y"),
        (JOINED, "a\r\nb"),
    ]
    assert reasons(imported) == ["no_instruction", "no_response", "same_task"]
    assert [row.witness for row in imported.dropped] == ["ours:2", "ours:3", "ours:4"]
    assert imported.repairs["texts with control characters, now without"] == 2
    assert imported.repairs["texts of invisible characters, read as empty"] == 2


def test_what_kind_of_task_it_is_stays_where_it_is_known() -> None:
    """A column that means something else is no error, and one that is not there no repair."""
    kinds: Rows = [
        {"type": "Open Q&A", "topic": "Cardiology", "view": ["a", "b"], "level": 4, "more": "x"},
        {"type": "riddle", "topic": "", "view": None, "level": "hard", "more": "x"},
    ]
    rows = [row | kind for row, kind in zip(PLAIN, kinds, strict=True)]
    imported = bring(write("ours.json", rows), difficulty="level")
    first, second = (Response.model_validate(row) for row in imported.rows)
    assert (first.type, first.topic, first.view, first.difficulty) == (
        "open QA", "Cardiology", None, 4,
    )  # fmt: skip
    assert (second.type, second.topic, second.difficulty) == (None, None, None)
    assert +imported.repairs == {
        "fields 'view' not read": 1,
        "fields 'more' not read": 2,
        "type unknown, set to null": 1,
        "difficulty unknown, set to null": 1,
    }
    (row, _) = bring(write("ours.json", rows), "instructions").rows
    assert (row["type"], "output" in row) == ("open QA", False)


def test_who_answered_is_read_from_the_row_or_else_from_the_command() -> None:
    rows = [PLAIN[0] | {"by": "gpt-4"}, PLAIN[1] | {"by": ""}]
    made = bring(write("ours.csv", rows), model="by").rows
    assert [row["model"] for row in made] == ["gpt-4", "m"]


def test_datasets_of_hugging_face_are_read_from_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    """As `save_to_disk` wrote them, or with files of data as on the Hub."""
    import datasets

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets.disable_progress_bars()
    datasets.Dataset.from_list(PLAIN).save_to_disk("saved")
    two = {
        "train": datasets.Dataset.from_list(PLAIN[:1]),
        "test": datasets.Dataset.from_list(PLAIN),
    }
    datasets.DatasetDict(two).save_to_disk("several")
    Path("files").mkdir()
    shutil.copy(write("a.jsonl", PLAIN), "files/train.jsonl")
    for folder, part in (("saved", Part()), ("several", Part("test")), ("files", Part("train"))):
        source = open_source(folder, part)
        assert [row.values["output"] for row in source.rows] == [row["output"] for row in PLAIN]
        assert (source.name, source.meta["source"]) == (folder, folder)
    with pytest.raises(BadInput, match="several splits; name one with --split: train, test"):
        open_source("several", Part())
    with pytest.raises(BadInput, match=r"'tiny' not found. Available: \['default'\]"):
        open_source("files", Part(config="tiny"))


def test_a_large_file_takes_seconds() -> None:
    """As many rows as MedInstruct-52k; the limit is for a busy machine."""
    rows = [{"instruction": f"Task {n} " + "x " * 40, "output": "y " * 150} for n in range(52_002)]
    file = write("large.parquet", rows)
    start = time.monotonic()
    assert len(bring(file).rows) == 52_002
    assert time.monotonic() - start < 30, "3 s on an idle machine"
