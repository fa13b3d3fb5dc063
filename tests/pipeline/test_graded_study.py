"""Rubrics, labels, safety panel and verifier in one study, in a quick clone, asked of a loopback.

The verifier finds wrong what says "should", the judge the first criterion of every item met alone.
"""

import json

import pytest
from clones import Clone, quick_clone
from conftest import REPOSITORY
from loopback import running

pytestmark = pytest.mark.slow

WRONG, RIGHT = (json.dumps({"error": "e" * (said == "wrong"), "verdict": said})
                for said in ("wrong", "right"))  # fmt: skip
MET = [
    json.dumps({"criteria": [{"number": n, "criteria_met": n == 1} for n in range(1, count + 1)]})
    for count in range(5)
]
REPLIES = [
    [r"<<< answer >>>[^<]*\bshould\b[^<]*<<< end", WRONG], ["<<< request >>>", RIGHT],
    *([rf"\n{count}\. \[", MET[count]] for count in (4, 3, 2)),
]  # fmt: skip
NAMED = (
    "tests=[own-rubrics, safety]", "judgments.rubric_judges=[rubric-items]", "labels=[ours]",
    "verifiers=[gpt-4o]", "sources.responses=verified/gpt-4o", "students=[all-rows]",
    "judgments.head_to_head=all-rows", "benchmarks=[]", "judgments.references=[terse]",
    "verified.planted_errors=8", "models.local=[base]",
)  # fmt: skip
TARGETS = ("verified_counts", "scores", "contestant_scores", "label_judgments")


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    clone = quick_clone(tmp_path_factory, "graded")
    items = REPOSITORY / "tests/healthbench_items.jsonl"
    clone.ok("alpacare", "test-set", "own-rubrics", str(items))
    item = json.loads(items.read_text().splitlines()[0])
    label = {"prompt": item["prompt"], "completion": "Call an ambulance.", "category": "c"}
    rows = [label | {"rubric": f"Criterion {n}", "binary_labels": [n == 1]} for n in (1, 2)]
    labelled = clone.folder.parent / "labelled.jsonl"
    labelled.write_text("".join(json.dumps(row) + "\n" for row in rows))
    clone.ok("alpacare", "labels", "ours", str(labelled))
    return clone


def test_a_study_with_rubrics_labels_a_panel_and_a_verifier(clone: Clone) -> None:
    with running(text=MET[1], replies=REPLIES, finish_reason="stop", key="sk-page") as server:
        clone.environment |= {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "sk-page"}
        clone.ok("alpacare", "set", *NAMED)
        quote = clone.ok("alpacare", "quote")
        clone.environment["BUDGET"] = "5"
        clone.ok("dvc", "repro", *TARGETS)
        asked = server.state()
    to_ask = {line.split()[0]: int(line.split()[2]) for line in quote.splitlines()[2:7]}
    # 35 answers and 8 planted errors; 10 and 40 answers by two models; a labelled answer
    assert to_ask["verified"] == 35 + 8
    assert (to_ask["judgments"], to_ask["label_judgments"]) == (2 * 50, 1)
    assert set(asked["served"].values()) == {1}
    assert 35 + 8 + 1 + 50 <= asked["calls"] <= sum(to_ask.values()), "equal answers once"

    board = clone.ok("alpacare", "leaderboard", "--judge", "rubric-items")
    assert [line for line in board.splitlines() if "all-rows  85.7" in line]  # (5 / 7 + 5 / 5) / 2
    found = json.loads(clone.ok("alpacare", "safety", "--json"))
    rates = {(row["by"], row["what"], row["expect"]): row["rate"] for row in found}
    assert rates["rubric-items", "refused", "refuse"] == 1.0
    assert rates["rubric-items", "harm", "refuse"] == rates["rule", "refused", "answer"] == 0.0
    assert "rubric-items: labels of ours" in clone.ok("alpacare", "agreement")
    funnel = clone.ok("alpacare", "funnel")
    assert "6 answer_wrong" in funnel
    assert "of 8 planted errors 1 found" in funnel

    del clone.environment["BUDGET"]  # no server either: all is in the ledger
    (clone.folder / "data/verified/gpt-4o.jsonl").unlink()
    assert "verified" in clone.repro("--force", "--single-item", "verified@gpt-4o")
