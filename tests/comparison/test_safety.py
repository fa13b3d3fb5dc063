"""`alpacare safety` on the panel that ships: rates and differences as computed by hand."""

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY, run
from judged_project import write_settings
from loopback import Running

from alpacare.cli.comparison import safety
from alpacare.cli.report import report
from alpacare.core import jsonl
from alpacare.pipeline import paths
from alpacare.records.generation import Generation
from alpacare.records.test_set import read_test_set
from alpacare.stages.judgments import main as judgments

PANEL = REPOSITORY / "data/tests/safety.jsonl"
REFUSED, DONE = "I cannot help with that.", "Here it is: do as follows."
# how many of the first requests each refuses, of 20 to refuse and of 20 to answer
REFUSES = {("base", None): (10, 0), ("tuned", 0): (16, 1), ("tuned", 1): (16, 1)}


def write_answers(refuses: Mapping[tuple[str, int | None], tuple[int, int]] = REFUSES) -> None:
    tasks = read_test_set(Path("data/tests/safety.jsonl"))
    for (name, seed), (harmful, harmless) in refuses.items():
        left = {"refuse": harmful, "answer": harmless}
        rows = []
        for task in tasks:
            assert task.expect
            left[task.expect] -= 1
            rows.append(
                Generation(
                    id=task.id, instruction=task.instruction, input="",
                    output=REFUSED if left[task.expect] >= 0 else DONE,
                    generator=name, finish_reason="stop",
                )
            )  # fmt: skip
        jsonl.write(paths.answers("safety", name, seed), rows)


@pytest.fixture
def project(workspace: Path) -> Path:
    """Two trainings of one student, and its base."""
    write_settings(
        workspace, tests=["safety"], students=["tuned"], training_seeds=[0, 1], written=[],
        contestants=["base"], references=["base"], head_to_head="tuned", judges=["longest"],
    )  # fmt: skip
    text = (workspace / "params.yaml").read_text()
    text = text.replace('contestants: ["base"]', "contestants: [base]")
    # a contestant wants a reference other than itself
    text = text.replace("references: ['base']", "references: [base, terse]")
    text = text.replace("written: []", "written: [terse]")
    (workspace / "params.yaml").write_text(text)
    Path("data/tests").mkdir(parents=True)
    shutil.copy(PANEL, "data/tests/safety.jsonl")
    write_answers()
    return workspace


def rates(*words: str) -> dict[tuple[str, str, str, str], dict[str, Any]]:
    result = run(safety, "--json", *words)
    assert result.exit_code == 0, result.output
    return {
        (row["by"], row["what"], row["expect"], row["model"]): row
        for row in json.loads(result.output)
    }


def test_the_panel_has_twenty_of_each_and_no_request_twice() -> None:
    tasks = read_test_set(PANEL)
    assert [task.expect for task in tasks] == ["refuse"] * 20 + ["answer"] * 20
    assert all(any("axis:refusal" in each.tags for each in task.rubrics) for task in tasks)
    harm = [any("axis:harm" in each.tags for each in task.rubrics) for task in tasks]
    assert harm == [True] * 20 + [False] * 20


def test_rates_and_differences_by_the_rule(project: Path) -> None:
    found = rates()
    base = found["rule", "refused", "refuse", "base"]
    # 10 of 20, whose variance is that of 19 items: Wilson's is 0.5 +- 0.2465 / 1.2022
    assert (base["rate"], base["ci_low"], base["ci_high"]) == (0.5, 0.295, 0.705)
    assert (base["rule_of_three"], base["difference"]) == (None, None)
    tuned = found["rule", "refused", "refuse", "tuned"]
    assert (tuned["rate"], tuned["n"], tuned["seeds"]) == (0.8, 20, [0, 1])
    # six of 20 changes are 1: mean 0.3, standard deviation 0.4702, t 2.093 with 19 degrees
    difference = tuned["difference"]
    assert difference["ci_low"] == pytest.approx(0.3 - 2.093 * 0.4702 / 20**0.5, abs=1e-4)
    assert (difference["change"], difference["changed"], difference["real"]) == (0.3, 6, True)
    none = found["rule", "refused", "answer", "base"]
    assert (none["rate"], none["rule_of_three"]) == (0.0, 0.15)
    assert found["rule", "refused", "answer", "tuned"]["difference"]["real"] is False

    text = run(safety).output
    assert max(map(len, text.splitlines())) <= 80
    assert "safety, by the rule: harmful requests refused, of 20 (more is safer)" in text
    assert "base   0.0 % (0.0 to 16.1); none, so at most 15.0 % (rule of three)" in text
    line = "+30.0 points (+8.0 to +52.0) from base, 6 changed; more than chance"
    assert line in text
    assert run(report).exit_code == 0
    page = re.sub(r"<[^>]+>", " ", Path("reports/index.html").read_text())
    assert line in page
    assert "0.0 % (0.0 to 16.1); none, so at most 15.0 % (rule of three)" in page


def test_an_empty_answer_has_no_verdict_and_is_counted(project: Path) -> None:
    path = paths.answers("safety", "base", None)
    rows = jsonl.read(path, Generation)
    empty = [row.model_copy(update={"output": " "}) for row in rows[8:12]]  # two of each kind
    jsonl.write(path, [*rows[:8], *empty, *rows[12:]])
    base = rates()["rule", "refused", "refuse", "base"]
    assert (base["rate"], base["n"], base["items"]) == (0.5, 16, 20)
    assert "4 of 20 answers unreadable" in run(safety).output
    path = paths.answers("safety", "tuned", 1)  # of two seeds, one of which can be read
    rows = jsonl.read(path, Generation)
    jsonl.write(path, [rows[0].model_copy(update={"output": ""}), *rows[1:]])
    tuned = rates()["rule", "refused", "refuse", "tuned"]
    assert [tuned[name] for name in ("n", "items", "unreadable", "answers")] == [20, 20, 1, 40]
    assert "1 of 40 answers unreadable" in " ".join(run(safety).output.split())


def test_an_interval_without_0_is_not_enough_if_the_sign_test_disagrees(project: Path) -> None:
    """12 of 20 are refused by the student alone, 4 by the base alone."""
    for name, seed, refused in (("base", None, range(4)), ("tuned", 0, range(4, 16))):
        path = paths.answers("safety", name, seed)
        rows = jsonl.read(path, Generation)
        said = [REFUSED if place in refused else DONE for place in range(len(rows))]
        jsonl.write(
            path, (row.model_copy(update={"output": x}) for row, x in zip(rows, said, strict=True))
        )
    shutil.copy(paths.answers("safety", "tuned", 0), paths.answers("safety", "tuned", 1))
    difference = rates()["rule", "refused", "refuse", "tuned"]["difference"]
    # 0.4 +- 2.093 * 0.8208 / 20**0.5; two-sided p of 4 or fewer of 16: 2 * 2517 / 2**16 = 0.077
    assert difference["ci_low"] == pytest.approx(0.0159, abs=1e-3)
    assert (difference["changed"], difference["real"]) == (16, False)


def test_one_training_seed_says_that_luck_is_not_known(project: Path) -> None:
    settings = project / "params.yaml"
    settings.write_text(
        settings.read_text().replace("training_seeds: [0, 1]", "training_seeds: [0]")
    )
    found = rates("--against", "base")["rule", "refused", "refuse", "tuned"]
    assert (found["difference"]["one_seed"], found["difference"]["real"]) == (True, False)
    text = run(safety).output
    assert "one training seed: luck of training unknown" in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 80


def test_harm_and_refusals_by_a_judge(
    project: Path, server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A judge on loopback: who refuses meets the first criterion, who does it the third."""
    for name, value in (("BUDGET", "9"), ("OPENAI_BASE_URL", server.url), ("OPENAI_API_KEY", "k")):
        monkeypatch.setenv(name, value)
    text = Path("params.yaml").read_text()
    Path("params.yaml").write_text(
        text.replace("rubric_judges: []", "rubric_judges: [rubric-items]")
    )
    server.configure(
        replies=[
            [f"{re.escape(REFUSED)}\n<<< criteria >>>\n1. .5. Refuses", _said(True, True, False)],
            [REFUSED, _said(False, True)],
            ["1. .5. Refuses", _said(False, False, True)],
            [DONE, _said(True, False)],
        ],
    )
    models = Path("data/model_generations/safety")
    for name, seed in REFUSES:
        student = ["--generations", paths.answers("safety", name, seed)] if seed is not None else []
        run_judgments(name, seed, student, models)
    found = rates()
    harm = {
        model: found["rubric-items", "harm", "refuse", model]["rate"] for model in ("base", "tuned")
    }
    assert harm == {"base": 0.5, "tuned": 0.2}
    assert found["rubric-items", "harm", "refuse", "tuned"]["difference"]["change"] == -0.3
    refused = found["rubric-items", "refused", "refuse", "tuned"]
    assert (refused["rate"], refused["n"]) == (0.8, 20)
    assert found["rubric-items", "refused", "answer", "tuned"]["rate"] == 0.05
    assert "by rubric-items: answers that enable the harm, of 20" in run(safety).output
    for path in [Path("data/tests/safety.jsonl"), *Path("data").rglob("rubric-items.jsonl")]:
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        for row in rows:  # harm that an answer avoids
            for each in row.get("rubrics") or row.get("criteria"):
                each["points"] = abs(each["points"])
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert not {what for _, what, _, _ in rates()} & {"harm"}
    assert "not counted: 20 axis:harm with points above 0" in " ".join(run(safety).output.split())


def _said(*met: bool) -> str:
    rows = [
        {"number": n, "explanation": "x", "criteria_met": each} for n, each in enumerate(met, 1)
    ]
    return json.dumps({"criteria": rows})


def run_judgments(name: str, seed: int | None, student: list[Any], models: Path) -> None:
    out = paths.rubric_judgments("safety", name, seed, "rubric-items").parent
    out = out if seed is not None else out.parent
    (models / "terse.jsonl").parent.mkdir(parents=True, exist_ok=True)
    (models / "terse.jsonl").touch()
    head = ["--head-to-head", student[1]] if student else []
    done = run(
        judgments, out, "--judges", REPOSITORY / "prompts/judges", "--test-set",
        "data/tests/safety.jsonl", *student, *head, "--models", models, "--local-models",
        "data/local_generations/safety",
    )  # fmt: skip
    assert done.exit_code == 0, done.output


def test_wrong_input_is_one_line(project: Path) -> None:
    assert (
        "--against terse: no such model; there are tuned, base"
        in run(safety, "--against", "terse").output
    )
    assert "no test set 'demo' in params.yaml: safety" in run(safety, "--test", "demo").output
    paths.answers("safety", "base").unlink()
    result = run(safety)
    assert result.exit_code == 0
    assert "missing: base: data/local_generations/safety/base.jsonl: not there yet" in " ".join(
        result.output.split()
    )
    panel = Path("data/tests/safety.jsonl")
    right = panel.read_text()
    panel.write_text(right.replace('"expect": "refuse"', '"expect": "perhaps"', 1))
    result = run(safety)
    assert (result.exit_code, len(result.output.splitlines())) == (2, 1)
    assert "safety.jsonl:1: field 'expect': input should be 'refuse' or 'answer'" in result.output
    rows = [json.loads(line) for line in right.splitlines()]
    panel.write_text("".join(json.dumps({**row, "expect": None}) + "\n" for row in rows))
    assert "no test set whose rows have `expect`: refuse or answer" in run(safety).output
