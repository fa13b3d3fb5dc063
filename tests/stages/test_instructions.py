"""`instructions` and `responses`: offline, in order, nothing dropped in silence."""

import json
from pathlib import Path

from conftest import REPOSITORY, run
from tasks import make_instruction, make_seeds

from alpacare.core import jsonl
from alpacare.core.settings import load
from alpacare.filtering.filter import Filter
from alpacare.filtering.settings import FilteredSettings
from alpacare.instructions.generation_loop import GenerationLoop
from alpacare.instructions.settings import InstructionsSettings
from alpacare.llm.cache_pack import Entry, write_pack
from alpacare.llm.ledger import Ledger, default_path
from alpacare.llm.task_requests import ResponsesSettings, make_requests
from alpacare.stages.instructions import main
from alpacare.stages.responses import main as responses

PROMPT = REPOSITORY / "prompts/instructions"
OUTS = ("out.jsonl", "--dropped", "d.jsonl", "--usage", "u.json")


def answer(text: str, finish_reason: str = "stop") -> dict[str, object]:
    choice = {"message": {"content": text}, "finish_reason": finish_reason}
    return {"model": "m", "choices": [choice]}


def test_offline_lists_what_is_missing_and_touches_nothing(params: Path) -> None:
    jsonl.write(Path("seeds.jsonl"), make_seeds(9))
    Path("out.jsonl").write_text("earlier output")
    result = run(main, "seeds.jsonl", *OUTS, "--prompt", PROMPT)
    assert result.exit_code == 2
    assert "59 of 59 answers are not in the ledger" in result.output
    assert "no price known for model 'demo-teacher'" in result.output
    assert "missing: request 1, examples " in result.output
    assert "missing: and 49 more" in result.output
    assert Path("out.jsonl").read_text() == "earlier output"


def test_a_damaged_pack_is_named(params: Path) -> None:
    seeds = make_seeds(9)
    jsonl.write(Path("seeds.jsonl"), seeds)
    task_filter = Filter(load("filtered", FilteredSettings))
    request = GenerationLoop(
        seeds, load("instructions", InstructionsSettings), PROMPT, task_filter
    ).next_requests()[0]
    entry = Entry(
        key=request.key(),
        request=request.content(),
        response=answer("x"),
        received="2026-01-01T00:00:00Z",
        price=None,
    )
    write_pack(Path("pack.jsonl"), [entry])
    Path("pack.jsonl").write_text(Path("pack.jsonl").read_text().replace("chat/", "chit/"))
    result = run(main, "seeds.jsonl", *OUTS, "--prompt", PROMPT, "--pack", "pack.jsonl")
    assert result.exit_code == 2
    assert "pack.jsonl:1: the key is not the hash of the request" in result.output
    with Ledger(default_path()) as ledger:
        assert ledger.get(entry.key) is None


def test_useless_answers_go_to_the_side_file(params: Path) -> None:
    tasks = [make_instruction(f"Task {n}?", "Pain in the  leg.") for n in range(3)]
    jsonl.write(Path("in.jsonl"), tasks)
    prompt = REPOSITORY / "prompts/responses"
    with Ledger(default_path()) as ledger:
        requests = make_requests(tasks, load("responses", ResponsesSettings), prompt)
        texts = ["  \n", "An answer.", "pain in the leg.\n"]
        for request, text in zip(requests, texts, strict=True):
            entry = Entry(
                key=request.key(),
                request=request.content(),
                response=answer(text, "length"),
                received="2026-01-01T00:00:00Z",
                price=0.01,
            )
            ledger.import_entries([entry])
    result = run(responses, "in.jsonl", *OUTS, "--prompt", prompt)
    assert result.exit_code == 0, result.output
    assert "1 response (1 cut off), 2 not usable" in result.output
    (kept,) = map(json.loads, Path("out.jsonl").read_text().splitlines())
    lost = list(map(json.loads, Path("d.jsonl").read_text().splitlines()))
    assert (kept["id"], kept["output"]) == (tasks[1].id, "An answer.")
    assert [row["id"] for row in lost] == [tasks[0].id, tasks[2].id]
    reasons = {"empty": 1, "input_equals_output": 1}
    assert [row["reason"] for row in lost] == list(reasons)
    rows = json.loads(Path("u.json").read_text())["rows"]
    assert rows == {"kept": 1, "not_usable": 2, "reasons": reasons}
