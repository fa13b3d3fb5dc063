"""Verifiers in the settings: whose rows are learned from, what is skipped, checked and quoted."""

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import run
from generated_ledgers import link_what_git_holds, write_params
from quoting import quoted

from alpacare.cli.main import main
from alpacare.core import jsonl
from alpacare.pipeline import paths
from alpacare.pipeline.params import read_params
from alpacare.pipeline.sources import buy_targets, repro_targets
from alpacare.records.response import Response
from alpacare.records.task import row_id

CHECKED = {"responses": "verified/gpt-4o"}


@pytest.fixture
def project(workspace: Path) -> Path:
    link_what_git_holds("dvc.yaml", "prompts", "configs", "data", "students")
    return workspace


def write_imported() -> None:
    rows = [
        Response(
            id=row_id(f"How much on day {n}?", ""), instruction=f"How much on day {n}?", input="",
            output=f"Give {n} mg.", finish_reason="stop", model="m", request="",
        )
        for n in range(1, 8)
    ]  # fmt: skip
    jsonl.write(Path("data/imported/ours.jsonl"), rows)


def test_imported_answers_are_checked_and_the_teacher_is_not_asked(project: Path) -> None:
    write_imported()
    sources = CHECKED | {"verified": "imported/ours"}
    write_params(verifiers=["gpt-4o"], sources=sources, verified={"planted_errors": 3})
    params = read_params()
    targets = repro_targets(params)
    assert "verified" in targets
    assert not {"seeds", "instructions", "responses", "llm_usage"} & set(targets)
    assert buy_targets(params) == ["verified"]
    assert paths.stages_before_training(params) == ["verified"]
    quote = quoted()
    assert quote.stage("verified")[:2] == ["0", str(7 + 3)]
    assert "responses" not in quote.text.partition("what leaves")[0]
    assert "data/imported/ours.jsonl -> api.openai.com (verifier gpt-4o)" in quote.text


def test_the_teachers_answers_are_checked_where_students_learn_from_them(project: Path) -> None:
    write_params(verifiers=["gpt-4o"], sources=CHECKED)
    params = read_params()
    assert repro_targets(params) == []  # all stages
    assert paths.stages_before_training(params)[-2:] == ["responses", "verified"]
    assert paths.training_rows(params) == Path("data/verified/gpt-4o.jsonl")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"sources": CHECKED},
            "sources.responses: 'gpt-4o' is not in verifiers: nobody",
        ),
        (
            {"sources": {"responses": "imported/ours"}, "verifiers": ["gpt-4o"]},
            "sources.verified: students learn from imported/ours, so nobody writes responses",
        ),
        (
            {"sources": CHECKED | {"verified": "imported/none"}, "verifiers": ["gpt-4o"]},
            "sources.verified: no data/imported/none.jsonl; run `alpacare import responses FILE`",
        ),
        (
            {"verifiers": ["gpt-5"]},
            "verifiers: no prompts/verifiers/gpt-5; did you mean 'gpt-4o'?",
        ),
        (
            {"verified": {"planted_errors": -1}},
            "verified.planted_errors: ",
        ),
    ],
)  # fmt: skip
def test_wrong_settings_are_one_line(project: Path, changes: dict[str, Any], message: str) -> None:
    write_imported()
    write_params(**changes)
    result = run(main, "check")
    assert result.exit_code == 2, result.output
    assert message in result.output
    assert len(result.output.splitlines()) == 1


def test_settings_of_earlier_commits_have_no_verifiers(project: Path) -> None:
    write_params()
    settings = json.loads(Path("params.yaml").read_text())
    del settings["verifiers"], settings["verified"], settings["sources"]["verified"]
    Path("params.yaml").write_text(json.dumps(settings))
    assert read_params().verifiers == []
