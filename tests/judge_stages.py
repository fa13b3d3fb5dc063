"""The stages that judge and score, run on ours.jsonl against models/NAME.jsonl."""

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

MODELS = ["--models", "models", "--local-models", "local_models"]
ANSWERS = [*MODELS, "--generations", "ours.jsonl"]
OUT, SCORES = Path("judgments"), Path("scores")


def compare(judge: str, local: bool = False, **settings: Any) -> None:
    """Write into params.yaml who is compared, and by which judge."""
    params = read_yaml(Path("params.yaml"))
    others = {"contestants": [], "references": ["theirs"], "head_to_head": "other"}
    judges = {"judges": [] if local else [judge], "local_judges": [judge] if local else []}
    params["judgments"] = {**others, **judges, **settings}
    Path("params.yaml").write_text(json.dumps(params))


def run_judge(judge: str, *references: str, local: bool = False) -> Result:
    """Run the stage of a judge; what an earlier run wrote goes first, as DVC would have it."""
    compare(judge, local, references=references or ["theirs"])
    return run_judges(*([judge] if local else []))


def run_judges(*local: str, answers: list[str] = ANSWERS) -> Result:
    """Run the stage `judgments`, or the one of a local judge, with params.yaml as it is."""
    shutil.rmtree(OUT, ignore_errors=True)
    if local:
        return run(local_judgments, OUT, "--judge", f"prompts/local_judges/{local[0]}", *answers)
    return run(judgments, OUT, "--judges", "prompts/judges", "--test-set", "tests.jsonl", *answers)


def judge(name: str, reference: str = "theirs", local: bool = False) -> list[Judgment]:
    """Run the stage of a judge, and read its verdicts."""
    done = run_judge(name, reference, local=local)
    assert done.exit_code == 0, done.output
    return jsonl.read(judged(name, reference), Judgment)


def judged(name: str, place: str = "theirs") -> Path:
    """The file of a judge's verdicts."""
    return OUT / place / f"{name}.jsonl"


def run_scores(*local: str, answers: list[str] = ANSWERS) -> Result:
    """Score what the judges in params.yaml said, or a local judge."""
    shutil.rmtree(SCORES, ignore_errors=True)
    judge = ["--judge", local[0]] if local else []
    files = ["--judgments", OUT, "--test-set", "tests.jsonl", *judge]
    return run(scores, SCORES, "--metrics", "win_rates.json", *files, *answers)


def score(name: str, reference: str = "theirs", local: bool = False) -> Any:
    """Score what the judge said, and read the figures."""
    done = run_scores(*([name] if local else []))
    assert done.exit_code == 0, done.output
    return json.loads((SCORES / reference / f"{name}.json").read_text())
