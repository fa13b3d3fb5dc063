"""The stages that judge and score, run on ours.jsonl against references/NAME.jsonl."""

import json
import shutil
from pathlib import Path
from typing import Any

from click.testing import Result
from conftest import run

from alpacare.core import jsonl
from alpacare.core.settings import read_yaml
from alpacare.records.judgment import Judgment
from alpacare.stages.judgments import main as judgments
from alpacare.stages.local_judgments import main as local_judgments
from alpacare.stages.scores import main as scores

ANSWERS = [
    *("--generations", "ours.jsonl", "--base", "base.jsonl"),
    *("--references", "references", "--local-references", "local_references"),
]
OUT, LOCAL, SCORES = Path("judgments"), Path("local_judgments"), Path("scores")


def compare(reference: str, judge: str, local: bool = False) -> None:
    """Write into params.yaml who is compared with the student, and by which judge."""
    params = read_yaml(Path("params.yaml"))
    judges = {"judges": [] if local else [judge], "local_judges": [judge] if local else []}
    params["judgments"] = {"references": [reference], **judges}
    Path("params.yaml").write_text(json.dumps(params))


def run_judge(judge: str, reference: str = "theirs", local: bool = False) -> Result:
    """Run the stage of a judge; what an earlier run wrote goes first, as DVC would have it."""
    compare(reference, judge, local)
    for folder in (OUT, LOCAL):
        shutil.rmtree(folder, ignore_errors=True)
    if local:
        return run(local_judgments, LOCAL, "--judges", "prompts/local_judges", *ANSWERS)
    return run(judgments, OUT, "--judges", "prompts/judges", "--test-set", "tests.jsonl", *ANSWERS)


def judge(name: str, reference: str = "theirs", local: bool = False) -> list[Judgment]:
    """Run the stage of a judge, and read its verdicts."""
    done = run_judge(name, reference, local)
    assert done.exit_code == 0, done.output
    return jsonl.read(judged(name, reference, local), Judgment)


def judged(name: str, reference: str = "theirs", local: bool = False) -> Path:
    """The file of a judge's verdicts."""
    return (LOCAL if local else OUT) / reference / f"{name}.jsonl"


def run_scores() -> Result:
    """Score what the judge in params.yaml said."""
    files = ["--judgments", OUT, "--local-judgments", LOCAL, "--test-set", "tests.jsonl"]
    return run(scores, SCORES, "--metrics", "win_rates.json", *files, *ANSWERS)


def score(name: str, reference: str = "theirs") -> Any:
    """Score what the judge said, and read the figures."""
    done = run_scores()
    assert done.exit_code == 0, done.output
    return json.loads((SCORES / reference / f"{name}.json").read_text())
