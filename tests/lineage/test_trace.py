"""`alpacare trace` in a finished pipeline: every row's way, and what is not here said so."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from benchmarks.rigged import write_results
from conftest import run
from finished import edit, make, make_project
from loopback import Running

from alpacare.cli.lineage import funnel, trace
from alpacare.core import jsonl
from alpacare.llm.cache_pack import Entry
from alpacare.llm.ledger import Ledger
from alpacare.llm.request import content_key
from alpacare.pipeline import paths
from alpacare.records.benchmark_item import BenchmarkItem
from alpacare.training.data import choose_held_out


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("finished"))


@pytest.fixture
def project(finished: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it to work in."""
    folder = workspace / "project"
    shutil.copytree(finished, folder)
    monkeypatch.chdir(folder)
    return folder


def rows(path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def follow(id: str) -> dict[str, Any]:
    result = run(trace, id, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.output)  # type: ignore[no-any-return]


def show(id: str) -> str:
    """What the terminal shows, without its line breaks."""
    result = run(trace, id)
    assert result.exit_code == 0, result.output
    assert max(map(len, result.output.splitlines())) <= 80
    return " ".join(result.output.split())


def fail(id: str) -> str:
    result = run(trace, id)
    assert (result.exit_code, result.output.count("\n")) == (2, 1), result.output
    return result.output


def test_an_instruction_from_its_seeds_to_training(project: Path) -> None:
    row, answer = rows("data/instructions.jsonl")[3], rows("data/responses.jsonl")[3]
    story = follow(row["id"])
    written = story["instructions"]
    assert [seed["id"] for seed in written["seeds"]] == row["seeds"]
    known = {seed["id"]: seed["instruction"] for seed in rows("data/seeds.jsonl")}
    assert all(seed["instruction"] == known[seed["id"]] for seed in written["seeds"])
    assert written["index"] == row["index"]
    assert written["request"]["key"] == row["request"]
    assert written["request"]["held_by"] == "data/recordings/instructions.jsonl"
    assert (written["request"]["model"], written["request"]["dollars"]) == ("demo-teacher", None)
    assert story["filtered"] == {"kept": True}
    assert story["responses"]["output"] == answer["output"]
    assert story["responses"]["request"]["key"] == answer["request"]
    whole, half = story["checkpoint"]
    assert (whole["student"], whole["row"], whole["use"]) == ("all-rows", 4, "trained on")
    chosen = [each["id"] for each in rows("data/student_rows/half-rows.jsonl")]
    assert (half["use"] == "not chosen") == (row["id"] not in chosen)
    assert story["not_here"] == []
    text = show(row["id"][:8])
    for part in (row["seeds"][0], row["request"][:12], "filtered kept", "demo-teacher"):
        assert part in text


def test_an_answer_that_a_verifier_finds_wrong(
    project: Path, server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, *_, other = rows("data/responses.jsonl")
    shown = f"<<< answer >>>\n{row['output'].strip()}\n"
    wrong = {"error": "It says left.", "verdict": "wrong"}
    server.configure(text='{"verdict": "right"}', replies=[[shown, json.dumps(wrong)]])
    for name, value in (("BUDGET", "9"), ("OPENAI_BASE_URL", server.url), ("OPENAI_API_KEY", "k")):
        monkeypatch.setenv(name, value)
    edit("verifiers: []", "verifiers: [gpt-4o]")
    edit("  responses: responses ", "  responses: verified/gpt-4o ")
    for stage in ("verified", "verified_counts"):
        make(stage, verifier="gpt-4o")
    story = follow(row["id"])
    assert story["responses"]["output"] == row["output"]
    checked = story["verified"]
    assert (checked["finding"], checked["error"], checked["dropped"]) == (
        "wrong", "It says left.", True
    )  # fmt: skip
    assert "verified by gpt-4o, wrong, dropped: request" in show(row["id"])
    assert follow(other["id"])["verified"]["finding"] == "right"
    told = json.loads(run(funnel, "--json").output)
    (line,) = [each for each in told["counts"] if each["stage"] == "verified"]
    assert (line["total"] - line["kept"], line["lost"]) == (1, {"answer_wrong": 1})
    assert any(note.startswith("verifier gpt-4o: of 100 planted errors ") for note in told["notes"])
    older = f"all-rows kept {line['total']}, and there are {line['kept']}: one of them is out"
    assert any(older in note for note in told["notes"]), "its rows were chosen before"


def test_a_near_duplicate_and_its_witness(project: Path) -> None:
    (lost, *_) = rows("data/dropped/filtered.jsonl")
    story = follow(lost["id"])
    dropped = story["filtered"]["dropped"]
    twin = next(row for row in rows("data/instructions.jsonl") if row["id"] == lost["witness"])
    assert dropped == {
        "reason": "rouge_l",
        "witness": twin["id"],
        "score": lost["score"],
        "witness_text": twin["instruction"],
    }
    assert "responses" not in story
    assert f"dropped: rouge_l, score {lost['score']:.4f}" in show(lost["id"])


def test_what_could_not_be_read_in_a_reply(project: Path) -> None:
    lost = next(row for row in rows("data/dropped/instructions.jsonl") if "/" in row["id"])
    key, _, index = lost["id"].partition("/")
    story = follow(lost["id"])
    assert story["task"] is None
    assert story["instructions"]["dropped"]["witness"] == lost["witness"]
    assert story["instructions"]["request"]["key"] == key
    assert f"task {int(index) + 1} in the reply to request {key[:12]}" in show(lost["id"])


def test_a_seed_and_what_it_led_to(project: Path) -> None:
    row = rows("data/instructions.jsonl")[0]
    story = follow(row["seeds"][0])
    shown = [r for r in rows("data/instructions.jsonl") if row["seeds"][0] in r["seeds"]]
    assert story["seeds"]["instructions"] == [r["id"] for r in shown]
    assert story["seeds"]["requests"] == len({r["request"] for r in shown})
    assert "instructions: " in show(row["seeds"][0])


def test_what_training_did_with_each_row(project: Path) -> None:
    """It dropped the first, held a tenth out, and cut what is too long."""
    answers = rows("data/responses.jsonl")
    dropped = follow(answers[0]["id"])["checkpoint"][0]
    assert (dropped["use"], dropped["why"]) == ("dropped", "prompt_too_long")
    held = choose_held_out([row["id"] for row in answers[1:]], 0.1)
    assert follow(held[0])["checkpoint"][0]["use"] == "held out"
    longest = max(answers[1:], key=lambda row: len(row["output"].split()))
    shortest = min(answers[1:], key=lambda row: len(f"{row['input']} {row['output']}".split()))
    assert follow(longest["id"])["checkpoint"][0]["truncated"] is True
    assert follow(shortest["id"])["checkpoint"][0]["truncated"] is False


def test_a_checkpoint_of_other_rows_is_not_believed(project: Path) -> None:
    id = rows("data/responses.jsonl")[5]["id"]
    with Path("data/student_rows/all-rows.jsonl").open("a") as file:
        file.write(json.dumps(rows("data/responses.jsonl")[5] | {"id": "0" * 16}) + "\n")
    assert follow(id)["checkpoint"][0]["use"] is None
    assert "trained on other rows" in show(id)


def test_a_checkpoint_of_an_earlier_version_is_one_clear_line(project: Path) -> None:
    path = Path("models/checkpoint/all-rows/0/training.json")
    path.write_text(path.read_text().replace("validation_ratio", "validation_share"))
    id = rows("data/responses.jsonl")[5]["id"]
    assert follow(id)["checkpoint"][0]["use"] is None
    assert "the checkpoint here is of an earlier version" in show(id)


def test_a_test_task_with_its_answers_and_verdicts(project: Path) -> None:
    tasks = rows("data/tests/demo.jsonl")
    story = follow(tasks[1]["id"])["tests"][0]
    assert story["test"] == "demo"
    ours = story["generations"][0]
    assert (ours["student"], ours["seed"], ours["answer"]["output"]) == ("all-rows", 0, "")
    assert (ours["base"], ours["rows"]) == ("models/base_model", "data/student_rows/all-rows.jsonl")
    assert story["models"]["terse"]["output"] == tasks[1]["answers"]["terse"]
    judged = story["judgments"][0]
    assert [each["model"] for each in story["judgments"]] == ["all-rows", "half-rows", "half-rows"]
    assert {v["order"]: v["verdict"] for v in judged["verdicts"]} == {
        "model_first": "reference",
        "reference_first": "reference",
    }
    assert judged["points"] == 0.0
    assert judged["score"]["n"] == len(tasks)
    assert follow(tasks[0]["id"])["tests"][0]["judgments"][0]["points"] == 0.5
    assert "half-rows (seed 0), from models/base_model on " in show(tasks[2]["id"])
    assert (
        "overlap, all-rows (seed 0) against terse: 0.5 of 1 point; win rate of all: 49.3 %"
        in show(tasks[0]["id"])
    )


def test_a_test_task_with_its_grades_by_rubrics(project: Path) -> None:
    edit("rubric_judges: []", "rubric_judges: [healthbench]")
    task = rows("data/tests/demo.jsonl")[0]
    rubrics = [
        {"criterion": f"Says {word}", "points": points, "tags": []}
        for word, points in (("alpha", 5.0), ("beta", 3.0), ("gamma", -4.0))
    ]
    edit(f'"id": "{task["id"]}", ', f'"id": "{task["id"]}", "rubrics": {json.dumps(rubrics)}, ',
         "data/tests/demo.jsonl")  # fmt: skip
    reply = {"request": "9c41", "raw": "{}", "tries": 1}
    for student, met in (("all-rows", [True, False, True]), ("half-rows", [True, None, False])):
        criteria = [row | {"met": said} for row, said in zip(rubrics, met, strict=True)]
        row = {"id": task["id"], "judge": "healthbench", "criteria": criteria, "replies": [reply]}
        out = paths.rubric_judgments("demo", student, 0, "healthbench")
        out.write_text(json.dumps(row) + "\n")
    first, second = follow(task["id"])["tests"][0]["rubrics"]
    assert first["item_score"] == (5 - 4) / (5 + 3)
    assert (first["criteria"][2]["met"], first["replies"]) == (True, [reply])
    assert second["item_score"] is None
    text = show(task["id"])
    assert (
        "rubrics healthbench, all-rows (seed 0): score 0.125, 2 of 3 criteria met "
        "met +5 Says alpha not met +3 Says beta met -4 Says gamma "
        "healthbench, half-rows (seed 0): no score, 1 of 3 criteria unread met +5 Says alpha"
    ) in text
    assert "metrics/scores/demo/half-rows/0/healthbench.json; run `alpacare pull`" in text
    assert follow(rows("data/tests/demo.jsonl")[1]["id"])["not_here"] == [], "it has no rubrics"


def test_a_benchmark_item_with_what_each_run_chose(project: Path) -> None:
    edit("benchmarks: []", "benchmarks: [own-mcq]")
    items = jsonl.read(Path("data/benchmarks/own-mcq.jsonl"), BenchmarkItem)
    for student, chosen in (("all-rows", "A"), ("half-rows", "B")):
        write_results("own-mcq", student, 0, chosen, items[:1])
    first, second = items[:2]
    story = follow(first.id)
    assert story["task"] == first.model_dump(exclude={"id"})
    (told,) = story["benchmarks"]
    assert [each["result"]["score"] for each in told["results"]] == [1.0, 0.0]
    right, wrong, *_ = first.choices
    assert (
        f"right answer A {right} benchmark own-mcq results all-rows (seed 0): score 1 A {right} "
        f"half-rows (seed 0): score 0 B {wrong}"
    ) in show(first.id)
    assert show(second.id).endswith("benchmark own-mcq"), "no run was asked this item"


def test_a_paid_answer_is_found_in_the_ledger(project: Path) -> None:
    (Path("data/recordings/responses.jsonl")).write_text('{"end": 0}\n')
    row = rows("data/responses.jsonl")[0]
    request = {"path": "/x", "endpoint": "https://a", "body": {"model": "m"}, "sample": 0}
    key = content_key(request)
    edit(row["request"], key, "data/responses.jsonl")
    choice = {"finish_reason": "stop", "message": {"content": "x"}}
    response = {"model": "m-2026", "choices": [choice]}
    assert follow(row["id"])["responses"]["request"]["held_by"] is None
    assert "neither in the ledger here" in show(row["id"])
    with Ledger(Path(".ledger/ledger.sqlite")) as ledger:
        entry = Entry(key=key, request=request, response=response,
                      received="2026-01-31T12:00:00Z", price=0.0125)  # fmt: skip
        ledger.import_entries([entry])
    told = follow(row["id"])["responses"]["request"]
    assert (told["model"], told["dollars"]) == ("m-2026", 0.0125)
    assert "2026-01-31, $0.012500, in .ledger/ledger.sqlite" in show(row["id"])


def test_rows_that_were_brought_in_have_no_seeds(project: Path) -> None:
    id = rows("data/responses.jsonl")[1]["id"]
    shutil.copy("data/responses.jsonl", "data/imported/mine.jsonl")
    edit("responses: responses", "responses: imported/mine")
    story = follow(id)
    assert story["responses"] == {"brought_in": "data/imported/mine.jsonl", "row": 2}
    assert not {"seeds", "instructions", "filtered"} & story.keys()
    assert "imported: row 2 of data/imported/mine.jsonl" in show(id)


def test_a_clone_without_data_says_what_it_lacks(project: Path) -> None:
    task = rows("data/tests/demo.jsonl")[0]["id"]
    for folder in ("data/generations", "data/judgments", "data/model_generations", "models"):
        shutil.rmtree(folder)
    text = show(task)
    assert "missing: models/checkpoint/all-rows/0/training.json, data/generations/demo/" in text
    id = rows("data/responses.jsonl")[0]["id"]
    assert "the checkpoint is not here" in show(id)
    for path in Path("data").glob("*.jsonl"):
        path.unlink()
    assert "not searched: data/seeds.jsonl" in fail("0123456789abcdef")


@pytest.mark.parametrize(
    ("id", "told"),
    [
        ("xyz1", "'xyz1' is not the start of an id"),
        ("abc", "at least 4"),
        ("", "'' is not the start of an id"),
        ("0123456789abcdef", "no seed, instruction, response, test task or benchmark item of the"),
    ],
)
def test_an_id_that_is_none(project: Path, id: str, told: str) -> None:
    assert told in fail(id)


def test_a_beginning_that_fits_several(project: Path) -> None:
    first, second = rows("data/seeds.jsonl")[:2]
    edit(second["id"], first["id"][:6] + "0" * 10, "data/seeds.jsonl")
    assert (
        f"2 ids begin with it: {', '.join(sorted((first['id'], first['id'][:6] + '0' * 10)))}"
        in fail(first["id"][:6])
    )
    assert follow(first["id"])["id"] == first["id"]


def test_a_damaged_file_is_named(project: Path) -> None:
    row = rows("data/instructions.jsonl")[7]
    edit(f'"id": "{row["id"]}", ', f'"id": "{row["id"]}" ', "data/instructions.jsonl")
    assert "data/instructions.jsonl:8: not valid JSON" in fail(row["id"])


def test_no_text_moves_the_terminal(project: Path) -> None:
    row = rows("data/responses.jsonl")[2]
    edit(row["output"][:20], "\\u001b[2J", "data/responses.jsonl")
    assert "\x1b" not in show(row["id"])


def test_a_row_that_is_a_test_task_is_in_funnel_and_trace(project: Path) -> None:
    """An imported one, which `filtered` never saw."""
    test = rows("data/tests/demo.jsonl")[0]
    question = {key: test[key] for key in ("id", "instruction", "input")}
    copy = rows("data/responses.jsonl")[0] | question
    turns = [("user", "I cough."), ("assistant", "Since?"), ("user", "May."), ("assistant", "Go.")]
    messages = [{"role": role, "content": content} for role, content in turns]
    chat = copy | {"id": "c0ffee", "messages": messages}
    lines = [json.dumps(row) for row in (copy, *rows("data/responses.jsonl")[1:3], chat)]
    Path("data/imported/mine.jsonl").write_text("\n".join(lines) + "\n")
    Path("students/half-rows.yaml").write_text("rows: {source: imported/mine}\n")
    make("student_rows", student="half-rows")
    counts = json.loads(run(funnel, "--json").output)
    (_, line) = (each for each in counts["counts"] if each["stage"] == "student_rows")
    assert (line["total"], line["kept"], line["lost"]) == (
        4,
        2,
        {"contamination": 1, "several_turns": 1},
    )
    assert not any("and there are" in note for note in counts["notes"])
    use = follow(test["id"])["checkpoint"][1]
    why = f"contamination, matches test task demo/{test['id']}"
    assert (use["use"], use["why"]) == ("dropped", why)
    use = follow("c0ffee")["checkpoint"][1]
    assert (use["use"], use["why"]) == ("dropped", "several_turns")
