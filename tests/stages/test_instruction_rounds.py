"""`instructions` with a real server: it goes on until enough survive, and asks nothing twice."""

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY, run
from loopback import Running
from tasks import FORM, THREE_TASKS, make_seeds

from alpacare.core import jsonl
from alpacare.core.settings import load
from alpacare.instructions.settings import InstructionsSettings
from alpacare.stages.filtered import main as filtered
from alpacare.stages.instructions import main

FILES = ("seeds.jsonl", "out.jsonl", "--dropped", "d.jsonl", "--usage", "u.json")
NEAR_A_SEED = FORM.format("Task 7?")
PROMPT = REPOSITORY / "prompts/instructions"


@pytest.fixture(autouse=True)
def _params(params: Path) -> None: ...


def prepare(server: Running, **settings: Any) -> None:
    """A params.yaml (JSON is YAML) that asks the server."""
    jsonl.write(Path("seeds.jsonl"), make_seeds(30))
    section = load("instructions", InstructionsSettings).model_dump() | {
        "endpoint": "ours",
        "model": "gpt-4o-mini",
        "seeds_per_request": 4,
        "round_requests": 8,
        **settings,
    }
    endpoint = {"base_url": server.url, "api_key": None, "identity": "ours"}
    params = {
        "endpoints": {"ours": endpoint},
        "instructions": section,
        "filtered": {"rouge_l": 0.7, "keep": "first"},
    }
    Path("params.yaml").write_text(json.dumps(params))


def stage() -> tuple[str, list[dict[str, Any]]]:
    result = run(main, *FILES, "--prompt", PROMPT)
    assert result.exit_code == 0, result.output
    return result.output, [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]


def test_a_restart_asks_nothing_and_other_speed_changes_nothing(
    server: Running, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BUDGET", "5")
    server.reset(text=THREE_TASKS, finish_reason="stop", latency=0.01)
    outputs = []
    for folder, speed in (("one", 1), ("many", 50)):
        (tmp_path / folder).mkdir()
        monkeypatch.chdir(tmp_path / folder)
        (tmp_path / folder / "params.yaml").write_text((REPOSITORY / "params.yaml").read_text())
        prepare(server, target_kept=41, machine_examples=2)
        params = json.loads(Path("params.yaml").read_text())
        params["endpoints"]["ours"]["in_flight"] = speed
        Path("params.yaml").write_text(json.dumps(params))
        printed, rows = stage()
        assert "21 requests: 42 of 41 instructions are kept" in printed
        outputs.append(Path("out.jsonl").read_bytes())
        calls = server.state()["calls"]
        stage()
        assert server.state()["calls"] == calls
    assert outputs[0] == outputs[1]
    assert set(server.state()["served"].values()) == {2}  # once in each folder
    assert len(rows) == 63


def test_a_budget_that_ends_in_a_round_changes_nothing(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.reset(text=THREE_TASKS, finish_reason="stop")
    prepare(server, target_kept=41, machine_examples=2)
    for dollars in ("0.005", "0.009"):
        monkeypatch.setenv("BUDGET", dollars)
        result = run(main, *FILES, "--prompt", PROMPT)
        assert (result.exit_code, "BUDGET" in result.output) == (2, True), result.output
        assert not Path("out.jsonl").exists()
    assert 0 < server.state()["calls"] < 21
    monkeypatch.setenv("BUDGET", "5")
    stage()
    interrupted = Path("out.jsonl").read_bytes()
    assert set(server.state()["served"].values()) == {1}
    Path(".ledger").rename("other")
    stage()
    assert Path("out.jsonl").read_bytes() == interrupted


def test_the_filter_keeps_what_was_counted(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUDGET", "5")
    server.reset(text=THREE_TASKS + NEAR_A_SEED, finish_reason="stop")
    prepare(server, target_kept=41)
    printed, rows = stage()
    assert "42 of 41 instructions are kept" in printed
    metrics = ("--dropped", "fd.jsonl", "--metrics", "fm.json", "--seeds", "seeds.jsonl")
    result = run(filtered, "out.jsonl", "f.jsonl", *metrics)
    assert result.output.splitlines()[-1] == (
        f"{len(rows)} instructions: 42 kept; dropped: 1 rouge_l_seed, 21 rouge_l"
    )


def test_a_target_that_cannot_be_reached_says_so(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUDGET", "5")
    server.reset(text=THREE_TASKS, finish_reason="stop")
    Path("params.yaml").write_text((REPOSITORY / "params.yaml").read_text())
    prepare(server, target_kept=100, max_requests=3)
    printed, rows = stage()
    assert "6 of 100 instructions are kept; instructions.max_requests ends it here" in printed
    assert len(rows) == 9


def test_json_replies_give_the_same_records(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUDGET", "5")
    task = {
        "type": "chat",
        "topic": "t",
        "view": "v",
        "difficulty": 4,
        "instruction": "Explain {seed}.\nIn two lines.",
        "input": "",
    }
    server.reset(text=json.dumps({"tasks": [task]}), finish_reason="stop")
    prepare(server, requests=3, format="json_schema")
    _, rows = stage()
    assert [row["difficulty"] for row in rows] == [4, 4, 4]
    assert all(row["instruction"].endswith(".\nIn two lines.") for row in rows)
    usage = json.loads(Path("u.json").read_text())
    assert usage["rows"] == {"kept": 3, "not_usable": 0, "reasons": {}}


def test_too_few_seeds_touch_nothing(params: Path) -> None:
    jsonl.write(Path("seeds.jsonl"), make_seeds(2))
    result = run(main, *FILES, "--prompt", PROMPT)
    assert result.exit_code == 2
    assert "only 2 seeds, but instructions.seeds_per_request is 3" in result.output
    assert not Path("out.jsonl").exists()
