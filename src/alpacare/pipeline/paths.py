"""Which file holds what, by stage: as dvc.yaml has it, and `sources` in params.yaml."""

from pathlib import Path

from alpacare.evaluation.score import Cell
from alpacare.pipeline.dvc_yaml import dependencies, outputs, setting
from alpacare.pipeline.params import Params, Run
from alpacare.pipeline.sources import skipped_stages

WITH_DROPPED = ("instructions", "filtered", "responses")  # stages with a file of dropped rows


def rows(stage: str) -> Path:
    """Give the file of a stage's rows: the first that it writes."""
    return outputs(stage, "data/")[0]


def dropped(stage: str, **item: str) -> Path:
    """Give the file that says which rows were dropped at a stage or one cell of it, and why."""
    return outputs(stage, "data/dropped/", **item)[0]


def checkpoint(run: Run) -> Path:
    """Give the folder of a trained student; its dropped.jsonl says which rows did not fit."""
    return outputs("checkpoint", "models/", student=run.student, seed=str(run.seed))[0]


def training_curves(run: Run) -> Path:
    """Give the file of a training's losses at start and end, and its counts."""
    item = {"student": run.student, "seed": str(run.seed)}
    return outputs("training_curves", "metrics/training_curves/", **item)[0]


def student_rows(student: str) -> Path:
    """Give the rows that a student learns from."""
    return outputs("student_rows", "data/", student=student)[0]


def answers_before_checks(params: Params) -> Path:
    """Give the answers that students learn from, with those that a verifier drops."""
    name = params.sources.verifier
    return dependencies("verified", "data/", verifier=name)[0] if name else training_rows(params)


def verified(name: str) -> tuple[Path, Path, Path]:
    """Give the answers that a verifier left, those that it dropped, and all that it said."""
    rows, *_ = outputs("verified", "data/verified/", verifier=name)
    return (
        rows,
        dropped("verified", verifier=name),
        outputs("verified", "data/checks/", verifier=name)[0],
    )


def verified_rows(params: Params) -> Path | None:
    """Give what verifiers read, if there are any."""
    found = [dependencies("verified", "data/", verifier=name)[0] for name in params.verifiers]
    return found[0] if found else None


def instructions(params: Params) -> Path:
    """Give what `filtered` reads: what the teacher wrote, or an imported file."""
    return dependencies("filtered", f"data/{params.sources.instructions}.jsonl")[0]


def training_rows(params: Params) -> Path:
    """Give what students learn from: the teacher's answers, or an imported file."""
    return dependencies("base_model", f"data/{params.sources.responses}.jsonl")[0]


def stages_before_training(params: Params) -> list[str]:
    """Give the stages up to training that today's checkpoints were made by, in order."""
    stages = [stage for stage in ("seeds", *WITH_DROPPED) if stage not in skipped_stages(params)]
    return [*stages, "verified"] if params.sources.verifier else stages


def test_set(test: str) -> Path:
    """Give a test set."""
    return dependencies("model_generations", "data/tests/", test=test)[0]


def compared_sets() -> list[Path]:
    """Give the folders of test sets and of benchmarks, which no row may match."""
    (tests,) = dependencies("filtered", "data/tests")
    (benchmarks,) = dependencies("filtered", "data/benchmarks")
    return [tests, benchmarks] if benchmarks.is_dir() else [tests]


def generations(test: str, run: Run) -> Path:
    """Give a trained student's answers to a test set."""
    item = {"test": test, "student": run.student, "seed": str(run.seed)}
    return outputs("generations", "data/", **item)[0]


def answers(test: str, name: str, seed: int | None = None) -> Path:
    """Give the answers of any model to a test set; of a student with its training seed."""
    if seed is not None and name in setting("students"):
        return generations(test, Run(name, seed))
    local = name in setting("models", "local")
    stage = "local_generations" if local else "model_generations"
    return outputs(stage, "data/", test=test)[0] / f"{name}.jsonl"


def benchmark(name: str) -> tuple[Path, Path]:
    """Give a benchmark's folder, and the file of its items."""
    (folder,) = dependencies("local_benchmarks", "benchmarks/", benchmark=name)
    (items,) = dependencies("local_benchmarks", "data/benchmarks/", benchmark=name)
    return folder, items


def benchmark_results(name: str, model: str, seed: int | None) -> Path:
    """Give a model's results on a benchmark; of a student with its training seed."""
    if seed is None:
        (folder,) = outputs("local_benchmarks", "data/", benchmark=name)
        return folder / f"{model}.jsonl"
    return outputs("benchmarks", "data/", benchmark=name, student=model, seed=str(seed))[0]


def benchmark_score(name: str, model: str, seed: int | None) -> Path:
    """Give a model's score on a benchmark; of a student with its training seed."""
    if seed is None:
        (folder,) = outputs("local_benchmark_scores", "metrics/", benchmark=name)
        return folder / f"{model}.json"
    item = {"benchmark": name, "student": model, "seed": str(seed)}
    return outputs("benchmark_scores", "metrics/", **item)[0]


def judgments(cell: Cell) -> Path:
    """Give the verdicts of one comparison."""
    return _compared("judgments", "data/", cell, "jsonl")


def score(cell: Cell) -> Path:
    """Give the score of one comparison."""
    return _compared("scores", "metrics/", cell, "json")


def rubric_judgments(test: str, model: str, seed: int | None, judge: str) -> Path:
    """Give what a judge by rubrics said of a student's answers, or of another model's."""
    folder = _folder("judgments", "data/", Cell(test, model, seed, "", judge))
    return folder / (model if seed is None else "") / f"{judge}.jsonl"


def rubric_score(test: str, model: str, seed: int | None, judge: str) -> Path:
    """Give the score of what that judge said."""
    folder = _folder("scores", "metrics/", Cell(test, model, seed, "", judge))
    return folder / (model if seed is None else "") / f"{judge}.json"


def labels(name: str) -> Path:
    """Give a file of answers that people have labelled."""
    return dependencies("label_judgments", "data/labels/", labels=name)[0]


def label_judgments(name: str, judge: str) -> Path:
    """Give what a judge by rubrics said of these answers."""
    return outputs("label_judgments", "data/", labels=name)[0] / f"{judge}.jsonl"


def answer_statistics(test: str, run: Run | None = None) -> Path:
    """Give how long a student's answers are, or by name those of all other models."""
    cell = Cell(test, run.student if run else "", run.seed if run else None, "", "")
    return _folder("scores", "metrics/", cell) / "generations.json"


def _compared(stage: str, top: str, cell: Cell, suffix: str) -> Path:
    """Give a comparison's file, in its stage's folder."""
    folder = _folder(stage, top, cell)
    place = Path(cell.reference) if cell.seed is not None else Path(cell.model, cell.reference)
    return folder / place / f"{cell.judge}.{suffix}"


def _folder(stage: str, top: str, cell: Cell) -> Path:
    local = cell.judge in setting("judgments", "local_judges")
    item = {"test": cell.test, "judge": cell.judge}
    if cell.seed is None:
        stage = f"contestant_{stage}"
    else:
        item |= {"student": cell.model, "seed": str(cell.seed)}
    return outputs(f"local_{stage}" if local else stage, top, **item)[0]


def judge(name: str) -> Path:
    """Give a judge's folder."""
    if name in setting("judgments", "local_judges"):
        return dependencies("local_judgments", "prompts/", judge=name)[0]
    return dependencies("judgments", "prompts/judges")[0] / name
