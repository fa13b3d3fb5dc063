"""A quote and the run that follows agree, with a server on loopback; what a quote looks like."""

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY, run
from generated_ledgers import link_what_git_holds, write_params
from loopback import Running
from quoting import Quoted, quoted
from tasks import THREE_TASKS

from alpacare.core import jsonl
from alpacare.core.settings import read_yaml
from alpacare.core.stage_entry import fill
from alpacare.llm.ledger import Ledger, default_path
from alpacare.llm.reservations import Reservations
from alpacare.pipeline.dvc_yaml import recorded_setting
from alpacare.pipeline.quoting.plan import PAID
from alpacare.pipeline.quoting.quote import Quote
from alpacare.pipeline.quoting.quote_text import quote_table
from alpacare.records.generation import Generation
from alpacare.records.response import Response
from alpacare.records.task import TestTask
from alpacare.stages import (
    filtered,
    instructions,
    judgments,
    model_generations,
    responses,
    seeds,
    verified,
)
from alpacare.verification.planted_errors import plant_errors

STAGES = {module.__name__.rpartition(".")[2]: module.main for module in (
    filtered, instructions, judgments, model_generations, responses, seeds, verified
)}  # fmt: skip
TEACHING = ("seeds", "instructions", "filtered", "responses")


def run_stage(name: str) -> None:
    """Run a stage by its command in dvc.yaml, as DVC does."""
    command = read_yaml(Path("dvc.yaml"))["stages"][name]["cmd"]
    item = {"test": "demo", "student": WHO, "seed": 0, "verifier": "gpt-4o"}
    values = read_yaml(Path("params.yaml")) | {"item": item}
    result = run(STAGES[name], *fill(command, values).split()[3:])
    assert result.exit_code == 0, result.output


def buy(*stages: str) -> float:
    """Run stages; give what was paid for them, in dollars."""
    before = spent()
    for name in stages:
        run_stage(name)
    return spent() - before


def spent() -> float:
    with Ledger(default_path()) as ledger:
        return Reservations(ledger).spending().spent


def replace(path: str, old: str, new: str) -> None:
    """Edit a file, which may be a link."""
    text = Path(path).read_text()
    assert old in text
    Path(path).unlink()
    Path(path).write_text(text.replace(old, new, 1))


def agree(quote: Quoted, paid: float) -> None:
    assert quote.likely is not None, quote.text
    assert quote.likely == pytest.approx(paid, rel=0.25)
    assert paid <= quote.most <= 3 * paid


@pytest.fixture
def project(workspace: Path, server: Running, monkeypatch: pytest.MonkeyPatch) -> Running:
    """One student, 20 seed tasks; replies bring two tasks each, and a judge finds all alike."""
    monkeypatch.setenv("BUDGET", "1000")
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-x")  # the judge's
    link_what_git_holds("dvc.yaml", "prompts", "configs", "data", "students")
    Path("prices.yaml").write_text("gpt-4o-mini: {input: 15, output: 60}\n")  # a hundredfold
    server.reset(text=THREE_TASKS, finish_reason="stop", replies=[["Output \\(a\\)", "Tie."]])
    write_params(server.url, **FEW)
    return server


WHO = "all-rows"
FEW: dict[str, Any] = {
    "students": [WHO],
    "training_seeds": [0],
    "seeds": {"take": 20},
    "instructions": {"requests": 120},
    "judgments": {
        "contestants": [],
        "references": ["terse"],
        "head_to_head": WHO,
        "judges": ["longest"],
    },
}


def test_checks_are_quoted_with_their_planted_errors(project: Running) -> None:
    checked = {"responses": "verified/gpt-4o", "verified": "responses"}
    few = FEW | {"instructions": {"requests": 3}, "verified": {"planted_errors": 4}}
    write_params(project.url, **few, verifiers=["gpt-4o"], sources=checked)
    assert "verified" in quoted().text, "before there are answers"
    buy(*TEACHING)
    rows = jsonl.read(Path("data/responses.jsonl"), Response)
    planted = len(plant_errors(rows, 4, 0))
    quote = quoted()
    assert quote.stage("verified")[:2] == ["0", str(len(rows) + planted)]
    assert 0 < buy("verified") <= quote.most
    assert quoted().most == 0
    assert quoted().stage("verified")[:2] == [str(len(rows) + planted), "0"]


def test_the_teachers_quotes_are_what_is_paid(project: Running) -> None:
    first = quoted()
    assert first.likely is None
    assert buy(*TEACHING) <= first.most
    assert quoted().most == 0

    seed = json.loads(Path("data/seeds/medical.jsonl").read_text().splitlines()[3])
    replace("data/seeds/medical.jsonl", seed["instruction"], seed["instruction"] + " Be brief.")
    agree(quoted(), buy(*TEACHING))

    write_params(project.url, **FEW, filtered={"rouge_l": 0.95})  # the third task of each reply
    agree(quoted(), buy(*TEACHING))

    replace("prompts/responses/user.txt", "{{ instruction }}", "Briefly: {{ instruction }}")
    agree(quoted(), buy(*TEACHING))

    record(tasks_per_request=6)
    replace("prompts/instructions/system.txt", ".", ", in plain words.")
    agree(quoted(), buy(*TEACHING))
    with Ledger(default_path()) as ledger:
        bought = [entry for entry in ledger.entries() if entry.price]
    assert len(bought) == project.state()["calls"], "nothing is paid twice"


def record(**settings: object) -> None:
    """Write into dvc.lock with which settings `instructions` ran, as DVC does."""
    lock = {"stages": {"instructions": {"params": {"params.yaml": {"instructions": settings}}}}}
    Path("dvc.lock").write_text(json.dumps(lock))


def test_an_answer_counts_once(project: Running) -> None:
    """Those that are asked again are in the outputs of the last run, too."""
    write_params(project.url, **FEW | {"instructions": {"requests": 30}})
    buy(*TEACHING)
    record(tasks_per_request=6)
    write_params(project.url, **FEW | {"instructions": {"requests": 60}})
    quote = quoted()
    assert quote.stage("instructions")[4] == "-", "no likely price by 30 answers"
    assert quote.stage("responses")[1].startswith("<"), "nor a likely number by 30 replies"


def test_a_lock_file_without_stages_records_no_setting(workspace: Path) -> None:
    Path("dvc.lock").write_text("schema: '2.0'\n")
    assert recorded_setting("instructions", "tasks_per_request") is None


def test_a_judges_quotes_are_what_is_paid(project: Running) -> None:
    """The first of a judge is a bound; with another reference or prompt its lengths are known."""
    params = {**FEW, "judgments": dict(FEW["judgments"]), "sources": {"responses": "imported/ours"}}
    Path("data/imported/ours.jsonl").touch()
    answer_as_student()
    for names in (["terse"], ["terse", "thorough"]):
        params["judgments"] |= {"references": names, "judges": ["alpacare"]}
        write_params(project.url, **params)
        run_stage("model_generations")
        quote = quoted()
        paid = buy("judgments")
        if len(names) == 1:
            assert quote.likely is None
            assert paid <= quote.most
        else:
            agree(quote, paid)
    assert quoted().most == 0
    replace("prompts/judges/alpacare/prompt.txt", "Reply with", "Then reply with")
    agree(quoted(), buy("judgments"))
    assert project.state()["calls"] == 4 * 140


def answer_as_student() -> None:
    """Write answers to the demo's test set."""
    path = Path(f"data/generations/demo/{WHO}/0.jsonl")
    path.parent.mkdir(parents=True)
    rows = [
        Generation(
            **test.model_dump(include={"id", "instruction", "input"}),
            output="An answer. " * (1 + len(test.instruction) % 5),
            generator=WHO,
            finish_reason="stop",
        )
        for test in jsonl.read(Path("data/tests/demo.jsonl"), TestTask)
    ]
    jsonl.write(path, rows)


@pytest.mark.parametrize("dollars", [0.004, 12_345.67, 987_654.32])
@pytest.mark.parametrize("count", [0, 52_002, 1_040_040])
def test_no_figure_is_cut_in_80_columns(dollars: float, count: int) -> None:
    stages = PAID
    quotes = [
        Quote(
            stage, count, count, 0, counted=False, tokens_in=count * 2000, tokens_out=count * 500,
            bounded=True, seconds=float(count), likely=dollars, batch=None, most=3 * dollars,
        )
        for stage in stages
    ]  # fmt: skip
    head, columns, *lines = quote_table(quotes)
    assert max(map(len, (head, columns, *lines))) <= 80
    assert [line.split()[0] for line in lines] == list(stages)
    for line in lines:
        assert "\u2026" not in line
        assert f"${dollars:,.2f}" in line or f"${dollars:,.0f}" in line
        assert f"{count:,}" in line or f"{count / 1000:,.0f}k" in line or "1M" in line


def test_a_test_set_that_is_not_here_counts_by_its_published_rows(workspace: Path) -> None:
    link_what_git_holds("dvc.yaml", "prompts", "configs", "data", "students")
    tests = ["medinstruct-test", "unheard-of"]
    judgments = {"contestants": ["base"], "references": ["terse"], "judges": ["alpacare"]}
    params = read_yaml(REPOSITORY / "params.yaml") | {"tests": tests}
    params["judgments"] |= judgments
    Path("params.yaml").write_text(json.dumps(params))
    quote = quoted()
    # two students with two seeds and the base against `terse`, one student against the other
    assert quote.stage("judgments")[1] == f"{(2 * 2 + 1 + 2) * 432:,}", "216 tasks in both orders"
    told = "medinstruct-test by the 216 rows of configs/datasets.yaml, unheard-of not at all"
    assert told in " ".join(quote.text.split())
