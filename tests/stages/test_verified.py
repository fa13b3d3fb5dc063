"""`verified` and `verified_counts`: answers checked by a model on loopback, counted by hand."""

import json
import shutil
from pathlib import Path
from typing import Any, Literal

import pytest
from conftest import REPOSITORY, run
from loopback import Running

from alpacare.core import jsonl
from alpacare.records.answer_check import AnswerCheck
from alpacare.records.dropped import Dropped
from alpacare.records.message import Message
from alpacare.records.response import Response
from alpacare.records.task import row_id
from alpacare.stages.verified import main
from alpacare.stages.verified_counts import main as counts
from alpacare.training.rows import RowsSettings, WhereSettings, match_rows
from alpacare.verification.checking import make_check_requests

DOSE = "Give 5 mg a day."
Role = Literal["system", "user", "assistant"]
ANSWERS = {  # instruction: answer, and what the verifier says of it
    "How much?": (DOSE, "right"),
    "Which side?": ("Pain in the left arm is typical.", "wrong"),
    "May I drive?": ("You should not drive.", "right"),
    "Sing.": ("La la la.", None),
}
MISSED = "Give 50 mg a day."  # of the three planted errors the verifier does not see this one
REPLIES = {
    "right": '```json\n{"own_answer": "Yes.", "error": "", "verdict": "right"}\n```',
    "wrong": '{"own_answer": "x", "error": "The left arm\\nis right.", "verdict": "wrong"}',
    None: 'I say "right" or "wrong": verdict: right or wrong.',
}


def row(instruction: str, output: str) -> Response:
    return Response(
        id=row_id(instruction, ""), instruction=instruction, input="", output=output,
        finish_reason="stop", model="m", request="r",
    )  # fmt: skip


def write_params(server: Running, **verified: Any) -> None:
    endpoint = {"base_url": server.url, "api_key": None}
    settings = {"action": "drop", "planted_errors": 100, "seed": 0} | verified
    Path("params.yaml").write_text(
        json.dumps({"endpoints": {"openai": endpoint}, "verified": settings})
    )


@pytest.fixture
def verifier(workspace: Path, server: Running, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The verifier that the project ships, asked of the server on loopback."""
    monkeypatch.setenv("BUDGET", "1")
    said = {output: finding for output, finding in ANSWERS.values()} | {MISSED: "right"}
    replies = [[f"<<< answer >>>\n{text}\n", REPLIES[each]] for text, each in said.items()]
    server.configure(text="Verdict: **wrong**, it was changed.", replies=replies)
    write_params(server)
    rows = [row(instruction, output) for instruction, (output, _) in ANSWERS.items()]
    jsonl.write(Path("responses.jsonl"), rows)
    return Path(shutil.copytree(REPOSITORY / "prompts/verifiers/gpt-4o", workspace / "gpt-4o"))


def check() -> Any:
    return run(main, "gpt-4o", "responses.jsonl", "out.jsonl", "--dropped", "dropped.jsonl",
               "--checks", "checks.jsonl", "--run", "run.json")  # fmt: skip


def test_wrong_answers_go_with_the_verifiers_words_and_its_errors_are_counted(
    verifier: Path, server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = check()
    assert done.exit_code == 0, done.output
    assert "4 answers checked by 'gpt-4o', 1 found wrong and dropped, 1 reply " in done.output
    kept = jsonl.read(Path("out.jsonl"), Response)
    assert [each.checked for each in kept] == ["right", "right", "unreadable"]
    (gone,) = jsonl.read(Path("dropped.jsonl"), Dropped)
    assert (gone.id, gone.reason) == (row_id("Which side?", ""), "answer_wrong")
    assert gone.witness == "The left arm is right."
    planted = [c.planted for c in jsonl.read(Path("checks.jsonl"), AnswerCheck) if c.planted]
    assert [(each.kind, each.was, each.now) for each in planted] == [
        ("dose", "Give 5 mg", "Give 50 mg"),
        ("laterality", "the left arm", "the right arm"),
        ("negation", "You should not drive.", "You should drive."),
    ]
    calls = server.state()["calls"]
    assert calls == 4 + 3
    monkeypatch.delenv("BUDGET")
    assert check().exit_code == 0  # again, from the ledger
    assert server.state()["calls"] == calls

    done = run(counts, "checks.jsonl", "run.json", "metrics.json")
    assert done.exit_code == 0, done.output
    told = json.loads(Path("metrics.json").read_text())
    assert told["answers"] == {"n": 4, "right": 2, "wrong": 1, "unreadable": 1}
    # of the three planted errors two are found; one of the three rows untouched is called wrong
    assert told["recall"] == {"value": 0.6667, "ci_low": 0.2077, "ci_high": 0.9385, "n": 3}
    assert told["precision"] == {"value": 0.6667, "ci_low": 0.2077, "ci_high": 0.9385, "n": 3}
    assert told["false_alarms"]["value"] == 0.3333
    assert told["planted"]["by_kind"]["dose"] == {"n": 1, "found": 0}
    assert told["calls"] == 7
    assert "of 3 planted errors 2 found, recall 67 % (21 to 94), false alarms 33 %" in done.output


def test_flagged_answers_stay_and_none_is_planted_where_none_is_wanted(
    verifier: Path, server: Running
) -> None:
    write_params(server, action="flag", planted_errors=0)
    assert "1 found wrong and marked" in check().output
    kept = jsonl.read(Path("out.jsonl"), Response)
    assert [each.checked for each in kept] == ["right", "wrong", "right", "unreadable"]
    assert Path("dropped.jsonl").read_text() == ""
    where = WhereSettings(checked=["right", "unreadable"])
    rows = RowsSettings(source=None, where=where, take=None, choose="all", seed=0)
    assert match_rows(kept, {}, rows) == [kept[0], *kept[2:]]
    assert run(counts, "checks.jsonl", "run.json", "metrics.json").exit_code == 0
    told = json.loads(Path("metrics.json").read_text())
    assert (told["action"], told["recall"]["value"], told["precision"]["n"]) == ("flag", None, 0)


def test_a_conversation_is_shown_up_to_its_last_answer(verifier: Path) -> None:
    texts = ["Be kind.", "Hi.", "Hello.", "Dose?", DOSE]
    roles: list[Role] = ["system", "user", "assistant", "user", "assistant"]
    messages = tuple(
        Message(role=role, content=text) for role, text in zip(roles, texts, strict=True)
    )
    asked = row("Hi.", DOSE).model_copy(update={"messages": messages})
    (request,) = make_check_requests(verifier, [asked])
    shown = request.body["messages"][1]["content"]
    said = "system: Be kind.\n\nuser: Hi.\n\nassistant: Hello.\n\nuser: Dose?"
    assert f"<<< request >>>\n{said}\n<<< answer >>>\n{DOSE}\n<<< end >>>" in shown


def test_wrong_input_is_one_line(verifier: Path, server: Running) -> None:
    write_params(server, action="remove")
    assert "params.yaml: verified.action: " in check().output
    write_params(server)
    prompt = verifier / "user.txt"
    right = prompt.read_text()
    prompt.write_text(right.replace("{{ output }}", ""))
    assert "user.txt: the text does not show the variable 'output'" in check().output
    prompt.write_text(right)
    Path("responses.jsonl").write_text('{"id": "x"}\n')
    done = check()
    assert (done.exit_code, Path("out.jsonl").exists()) == (2, False)
    assert "responses.jsonl:1: field 'instruction'" in done.output
    jsonl.write(Path("responses.jsonl"), [row("Which side?", ANSWERS["Which side?"][0])])
    done = check()
    assert (done.exit_code, Path("out.jsonl").exists()) == (2, False)
    assert "'gpt-4o' finds each of 1 answers wrong" in done.output
    Path("run.json").write_text("{}")
    Path("checks.jsonl").write_text("")
    done = run(counts, "checks.jsonl", "run.json", "metrics.json")
    assert "run.json: does not say how it was checked" in done.output
