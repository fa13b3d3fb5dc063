"""Scores by rubrics and on benchmarks, then and now: a file of items for each model and seed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from math import inf
from pathlib import Path

from alpacare.comparison.benchmark_runs import benchmark_models
from alpacare.comparison.diff_rows import DiffRow, Versions, correct_rows, pool_versions
from alpacare.comparison.model_runs import Model, all_models
from alpacare.comparison.revisions import MissingFile, Revision, changed_inputs, trainings_behind
from alpacare.comparison.rubric_board import runs_of
from alpacare.evaluation.benchmark_score import item_scores
from alpacare.evaluation.items import Preferences
from alpacare.evaluation.paired_comparison import compare
from alpacare.evaluation.rubric_scores import read_grades
from alpacare.pipeline import paths
from alpacare.pipeline.params import Params
from alpacare.records.benchmark_result import read_results

FileOf = Callable[[str, int | None], Path]  # of a model, and its training seed
Note = Callable[[str], None]


@dataclass(frozen=True)
class _Place:
    """A test set before a judge by rubrics, or a benchmark; `folder` says how scores are given.

    `answers`: the files that were made with a checkpoint. `most`: no difference can be larger.
    """

    test: str
    judge: str
    folder: Path
    models: list[Model]
    scores: FileOf
    answers: FileOf
    read: Callable[[Path], Preferences]
    most: float


def compare_scores(params: Params, then: Revision, now: Revision, note: Note) -> list[DiffRow]:
    """Compare each model's mean scores; `note` is given what is left out, or has changed too."""
    rows = [row for place in _places(params) for row in _rows(params, place, then, now, note)]
    return correct_rows(rows, params.scores.confidence)


def _places(params: Params) -> Iterator[_Place]:
    models = all_models(params)
    for test in params.tests:
        answers = partial(paths.answers, test)
        for judge in params.judgments.rubric_judges:
            files = partial(paths.rubric_judgments, test, judge=judge)
            yield _Place(test, judge, paths.judge(judge), models, files, answers, _read_grades, inf)
    models = benchmark_models(params)
    for name in params.benchmarks:
        folder, _ = paths.benchmark(name)
        files = partial(paths.benchmark_results, name)
        yield _Place(name, "lm-eval", folder, models, files, files, _read_results, 1)


def _read_grades(path: Path) -> Preferences:
    return runs_of([read_grades(path).overall])[0]


def _read_results(path: Path) -> Preferences:
    return item_scores(read_results(path))


def _rows(
    params: Params, place: _Place, then: Revision, now: Revision, note: Note
) -> Iterator[DiffRow]:
    found: dict[Model, Versions] = {}
    for model in place.models:
        try:
            if versions := _read(place, model, then, now, note):
                found[model] = versions
        except MissingFile as error:
            note(str(error))
    students = [versions for model, versions in found.items() if model.seeds]
    for model, each in found.items():
        seeds = pool_versions(model, each, students)
        paired = not each.retrained
        comparison = compare(each.then, each.now, params.scores, paired, seeds, place.most)
        yield DiffRow(place.test, place.judge, model, "", comparison, seeds)


def _read(
    place: _Place, model: Model, then: Revision, now: Revision, note: Note
) -> Versions | None:
    """Read the runs that both versions have; None if there are none, or no item has rubrics."""
    where, runs = f"{place.test}, {place.judge}", model.seeds or (None,)
    files = {seed: str(place.scores(model.name, seed)) for seed in runs}
    files = {seed: file for seed, file in files.items() if then.has(file) and now.has(file)}
    if len(files) < len(runs):
        note(f"{where}: of {model.name} both versions have {len(files)} of {len(runs)} runs")
    before, after = (
        [side.read(file, place.read) for file in files.values()] for side in (then, now)
    )
    if not (any(before) and any(after)):
        return None
    changed = {path for file in files.values() for path in changed_inputs(then, now, file)}
    if then.texts(str(place.folder)) != now.texts(str(place.folder)):
        changed.add(f"{place.folder}/")
    for path in sorted(changed):
        note(f"{path} changed too: the difference may not be the model's alone ({where})")
    answers = [str(place.answers(model.name, seed)) for seed in files]
    trainings = [trainings_behind(side, answers) for side in (then, now)]
    return Versions(before, after, retrained=trainings[0] != trainings[1])
