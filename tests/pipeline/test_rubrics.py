"""Answers graded by rubrics: from a test set to boards, by a judge on loopback that reads words.

It says that "Says alpha" is met by an answer with the word alpha, and nothing readable of "Says
murky". All scores are computed by hand.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import run
from generated_ledgers import link_what_git_holds, write_params
from loopback import Running
from quoting import quoted

from alpacare.cli.main import main
from alpacare.core import jsonl
from alpacare.core.settings import read_yaml
from alpacare.core.stage_entry import fill
from alpacare.llm.ledger import Ledger, default_path
from alpacare.records.generation import Generation
from alpacare.records.labelled import LabelledAnswer, LabelledCriterion, labelled_id
from alpacare.records.message import Message, messages_id, transcript
from alpacare.records.task import TestTask, row_id
from alpacare.report.page import write_report
from alpacare.stages.judgments import main as judgments
from alpacare.stages.label_judgments import main as label_judgments
from alpacare.stages.model_generations import main as model_generations
from alpacare.stages.scores import main as scores

COMMANDS = {
    "model_generations": model_generations,
    "judgments": judgments,
    "contestant_judgments": judgments,
    "scores": scores,
    "contestant_scores": scores,
    "label_judgments": label_judgments,
}
MET, UNMET = (json.dumps({"explanation": "So.", "criteria_met": said}) for said in (True, False))
WORD = r"judged >>>[^<]*\b(\w+)\b[^<]*<<< criterion >>>\s*\[\S+\] Says \1\s"
EACH = [[r"\] Says murky\s", "I cannot say."], [WORD, MET], ["", UNMET]]
TURNS = (
    Message(role="user", content="I have a rash."),
    Message(role="assistant", content="Since when?"),
    Message(role="user", content="Since Monday."),
)
ALL, HALF, OTHER = "all-rows", "half-rows", "thorough"
ANSWERS = {  # by model and seed, to each item in turn
    (ALL, 0): ["alpha beta", "delta epsilon", "none", "eta"],
    (ALL, 1): ["alpha beta gamma", "delta", "zeta", "eta"],
    (HALF, 0): ["gamma", "epsilon", "zeta", "eta"],
    (HALF, 1): ["gamma", "epsilon", "none", "eta"],
}


def says(word: str, points: float, axis: str) -> dict[str, Any]:
    return {"criterion": f"Says {word}", "points": points, "tags": [f"axis:{axis}"]}


def item(question: str, theme: str, *rubrics: dict[str, Any], **more: Any) -> TestTask:
    fields = {"id": row_id(question, ""), "instruction": question, "input": "", **more}
    answers = {"terse": "none", OTHER: "alpha delta zeta"}
    return TestTask(**fields, answers=answers, rubrics=list(rubrics), tags=[f"theme:{theme}"])


ITEMS = [
    item("One?", "a", says("alpha", 5, "accuracy"), says("beta", 3, "completeness"),
         says("gamma", -4, "accuracy")),
    item(transcript(TURNS), "b", says("delta", 10, "accuracy"), says("epsilon", -10, "accuracy"),
         id=messages_id(TURNS), messages=TURNS),
    item("Three?", "a", says("zeta", 2, "completeness")),
    item("Four?", "b", says("eta", 1, "accuracy"), says("murky", 1, "completeness")),
]  # fmt: skip
JUDGED = {
    "contestants": [OTHER],
    "references": ["terse"],
    "head_to_head": HALF,
    "judges": ["longest"],
    "rubric_judges": ["healthbench"],
}


@pytest.fixture
def project(workspace: Path, server: Running, monkeypatch: pytest.MonkeyPatch) -> Running:
    monkeypatch.setenv("BUDGET", "1000")
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-x")
    link_what_git_holds("dvc.yaml", "prompts", "configs", "data", "students")
    Path("data/imported/ours.jsonl").touch()
    server.reset(replies=EACH, finish_reason="stop")
    write_settings(server)
    jsonl.write(Path("data/tests/own.jsonl"), ITEMS)
    for (student, seed), outputs in ANSWERS.items():
        path = Path(f"data/generations/own/{student}/{seed}.jsonl")
        jsonl.write(path, map(answer, ITEMS, outputs, [student] * 4))
        path.with_suffix(".json").write_text('{"engine": "batched"}')
    Path("data/local_generations/own").mkdir(parents=True)
    return server


def write_settings(server: Running, **changed: Any) -> None:
    models = {"written": ["terse", OTHER], "api": [], "local": []}
    sections = {
        "tests": ["own"],
        "models": models,
        "judgments": JUDGED,
        "scores": {"resamples": 200},
    }
    write_params(server.url, **sections | {"sources": {"responses": "imported/ours"}} | changed)


def answer(task: TestTask, output: str, generator: str) -> Generation:
    return Generation(
        **task.model_dump(include={"id", "instruction", "input"}),
        output=output,
        generator=generator,
        finish_reason="stop",
    )


def run_stage(name: str, **cell: Any) -> str:
    """Run a stage by its command in dvc.yaml, as DVC does."""
    command = read_yaml(Path("dvc.yaml"))["stages"][name]["cmd"]
    values = read_yaml(Path("params.yaml")) | {"item": {"test": "own", **cell}}
    result = run(COMMANDS[name], *fill(command, values).split()[3:])
    assert result.exit_code == 0, result.output
    return result.output


def grade_all() -> None:
    for name in ("judgments", "scores"):
        for student, seed in ANSWERS:
            run_stage(name, student=student, seed=seed)
        run_stage(f"contestant_{name}")


def score(place: str, judge: str = "healthbench") -> Any:
    return json.loads(Path(f"metrics/{place}/{judge}.json").read_text())


def read(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def shown(*command: str) -> str:
    result = run(main, *command)
    assert result.exit_code == 0, result.output
    assert max(map(len, result.output.splitlines())) <= 80
    return result.output


def test_a_run_from_items_to_boards_has_the_scores_computed_by_hand(project: Running) -> None:
    run_stage("model_generations")
    before = quoted()
    # of 3, 2, 1 and 2 criteria; of the items' answers 4, 4, 3 and 2 differ
    assert before.stage("judgments")[1] == "27", before.text
    path = Path(f"data/generations/own/{ALL}/0.jsonl")
    moved = path.rename("moved.jsonl")
    # 8 criteria of answers to come, and 3, 3, 3 and 2 different ones that are here
    assert quoted().stage("judgments")[1] == "30"
    moved.rename(path)
    grade_all()
    with Ledger(default_path()) as ledger:
        spent = sum(entry.price or 0 for entry in ledger.entries())
    assert 0 < spent <= before.most
    assert project.state()["calls"] == 27 + 4, "two answers were asked about three times"

    rows = read(Path("data/judgments/own/all-rows/0/healthbench.jsonl"))
    assert [[each["met"] for each in row["criteria"]] for row in rows] == [
        [True, True, False], [True, True], [False], [True, None],
    ]  # fmt: skip
    assert [reply["tries"] for reply in rows[3]["replies"]] == [1, 3]
    # (5 + 3) / 8, (10 - 10) / 10, 0 / 2; the fourth has a criterion without a verdict
    first = score("scores/own/all-rows/0")
    assert (first["score"], first["n"], first["items"]) == (0.3333, 3, 4)
    assert (first["criteria"], first["unread"]) == (8, 1)
    # 5 / 5, 0 / 10, 1 / 1; 3 / 3, 0 / 2
    assert [(a["score"], a["n"], a["items"]) for a in first["by_axis"].values()] == [
        (0.6667, 3, 3), (0.5, 2, 3),
    ]  # fmt: skip
    assert {name: each["score"] for name, each in first["by_theme"].items()} == {"a": 0.5, "b": 0.0}
    # -4 / 8, -10 / 10, 2 / 2: clipped is the mean, not an item
    half = score("scores/own/half-rows/0")
    assert (half["score"], half["mean"], half["ci_low"]) == (0.0, -0.1667, 0.0)
    assert score("contestant_scores/own/thorough")["score"] == 0.875  # 5 / 8, 10 / 10, 2 / 2
    headline = json.loads(Path("metrics/win_rates/own/all-rows/0.json").read_text())
    assert headline["rubrics"]["healthbench"] == {
        "score": 0.3333, "n": 3, "low": first["ci_low"], "high": first["ci_high"]
    }  # fmt: skip

    board = shown("leaderboard", "--judge", "healthbench")
    lines = [line.split() for line in board.splitlines()]
    # seeds of all-rows: means of 1/3 and of 4/8, 10/10, 2/2: 5/6
    found = {line[1]: line[2] for line in lines[:12] if line and line[0][0].isdigit()}
    assert found == {OTHER: "87.5", ALL: "58.3", HALF: "0.0"}
    assert "all-rows against half-rows: +91.7 points" in " ".join(board.split())
    (theme,) = [line for line in lines if line[:2] == ["theme", "b"]]
    assert theme[2:4] == [OTHER, "100.0"]
    # means over seeds before they are clipped: -1/6 and -1/2
    said = shown("compare", HALF, ALL, "--judge", "healthbench")
    assert "Rubric score, %: half-rows and all-rows" in said
    assert "+91.7 points" in said
    assert "theme b: +150.0 points" in said

    write_report(Path("page.html"), Path("figures"))
    page = Path("page.html").read_text()
    assert "graded by <b>healthbench</b>" in page
    assert "axis accuracy" in page


def test_all_criteria_in_one_request_as_json_or_as_lines(project: Running) -> None:
    run_stage("model_generations")
    write_settings(project, judgments=JUDGED | {"rubric_judges": ["rubric-items"]})
    said = {"criteria": [{"number": n, "criteria_met": n != 2} for n in (1, 2, 3)]}
    project.configure(finish_reason="stop", replies=[
        [r"Says alpha", f"```json\n{json.dumps(said)}\n```"],
        [r"Says delta", "1. Met\n2: not met"],
        [r"Says zeta", "1: met\n1: not met"],  # in doubt
        [r"Says eta", json.dumps(said)[:60]],  # cut off within the second
    ])  # fmt: skip
    line = run_stage("judgments", student=ALL, seed=0)
    assert "rubric-items: 4 answers by all-rows, 4 of 8 criteria met, 2 asked again" in line
    rows = read(Path("data/judgments/own/all-rows/0/rubric-items.jsonl"))
    assert [[each["met"] for each in row["criteria"]] for row in rows] == [
        [True, False, True], [True, False], [None], [True, None],
    ]  # fmt: skip
    run_stage("scores", student=ALL, seed=0)
    found = score("scores/own/all-rows/0", "rubric-items")
    assert (found["score"], found["n"]) == (0.5625, 2)  # (5 - 4) / 8, 10 / 10


def test_a_judge_is_measured_against_physicians_labels(project: Running) -> None:
    write_settings(project, labels=["own"])
    labels = [  # criterion, labels; the judge says: met, met, not met, nothing
        ("alpha", "cluster:hedging_x", [True, False]),
        ("beta", "cluster:hedging_x", [True, True]),
        ("gamma", "cluster:communication_y", [False, True]),
        ("murky", "cluster:communication_y", [True]),
    ]
    row = LabelledAnswer(
        id=labelled_id(row_id("One?", ""), "alpha beta"),
        instruction="One?",
        output="alpha beta",
        criteria=[
            LabelledCriterion(criterion=f"Says {word}", category=category, labels=given)
            for word, category, given in labels
        ],
    )
    other = row.model_copy(update={"id": labelled_id(row_id("One?", ""), "x"), "output": "x"})
    jsonl.write(Path("data/labels/own.jsonl"), [row])
    assert quoted().stage("label_judgments")[1] == "4"
    run_stage("label_judgments", labels="own")
    run_stage("model_generations")
    grade_all()
    out = shown("agreement", "--out", "agreement.json")
    people, judge = json.loads(Path("agreement.json").read_text())["labels"]
    # of 6 pairs met/met 3, met/not 1, not/met 1, not/not 1: F1 is 2*3/8 and 2*1/4
    assert (judge["overall"]["n"], judge["overall"]["pairs"]) == (6, 7)
    assert judge["overall"]["accuracy"]["value"] == 0.6667
    assert judge["overall"]["macro_f1"]["value"] == 0.625
    assert judge["by_theme"]["communication"]["accuracy"]["value"] == 0.5
    # each of two with the other, both ways: met/met 2, met/not 2, not/met 2
    assert people["judge"] is None
    assert people["overall"]["accuracy"]["value"] == 0.3333
    assert "healthbench: labels of own" in out
    jsonl.write(Path("data/labels/own.jsonl"), [row, other])
    assert "is graded otherwise; run `dvc repro`" in run(main, "agreement").output


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"judges": ["healthbench"], "rubric_judges": []},
            "grades each answer alone; move its name to judgments.rubric",
        ),
        ({"rubric_judges": ["alpacare"]}, "compares answers; move its name to judgments.judges"),
        ({"rubric_judges": ["longest"]}, "'longest' stands twice"),
    ],
)
def test_a_judge_in_the_wrong_list_is_one_line(
    project: Running, settings: dict[str, Any], message: str
) -> None:
    write_settings(project, judgments=JUDGED | settings)
    result = run(main, "quote")
    assert result.exit_code == 2
    assert message in result.output


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"rubrics": [says("x", -1, "a")]},
            "own.jsonl:2: rubrics: no criterion has points above 0",
        ),
        (
            {"rubrics": [says("x", 1, "a"), says("x", 2, "a")]},
            'own.jsonl:2: rubrics: a criterion comes twice: "Says x"',
        ),
        ({"messages": []}, "own.jsonl:2: messages: the conversation is empty"),
        ({"instruction": "Another"}, "own.jsonl:2: instruction: is not the conversation"),
    ],
)
def test_items_that_cannot_be_graded_are_one_line(
    project: Running, change: dict[str, Any], message: str
) -> None:
    run_stage("model_generations")
    rows = [row.model_dump() for row in ITEMS]
    rows[1] |= change
    Path("data/tests/own.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = read_yaml(Path("dvc.yaml"))["stages"]["judgments"]["cmd"]
    values = read_yaml(Path("params.yaml")) | {"item": {"test": "own", "student": ALL, "seed": 0}}
    result = run(judgments, *fill(command, values).split()[3:])
    assert result.exit_code == 2
    assert message in result.output
    assert len(result.output.strip().splitlines()) == 1
    assert not Path("data/judgments").exists()
