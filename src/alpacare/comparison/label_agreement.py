"""How far judges by rubrics agree with physicians' labels, as `alpacare agreement` shows it."""

from collections.abc import Iterator, Sequence

from alpacare.core import jsonl
from alpacare.core.errors import BadInput
from alpacare.core.texts import counted
from alpacare.evaluation.agreement import Estimate
from alpacare.evaluation.label_agreement import (
    JudgedLabels,
    LabelAgreement,
    Pair,
    compare_labels,
    pair_people,
)
from alpacare.evaluation.score import too_few_items
from alpacare.evaluation.score_table import fold_name, make_table, percent
from alpacare.pipeline import paths
from alpacare.pipeline.params import Params
from alpacare.records.labelled import LabelledAnswer, read_labels
from alpacare.records.rubric import RubricJudgment

_NAME = 24
_LEGEND = """\
Physicians' labels: each verdict of a judge is paired with each label of the criterion. \
Same: pairs that say the same, in %. Macro F1: the mean of F1 for "met" and for "not \
met" (HealthBench, arXiv 2505.08775, section 8); below it the mean over the kinds of \
criteria in which both occur. In brackets: {:g} % intervals, over conversations. n: \
pairs with a readable verdict, and of how many if not of all. Few: of fewer than ten \
conversations."""


def measure_labels(params: Params) -> list[JudgedLabels]:
    """Compare people with one another, and each judge by rubrics that has graded with them.

    Raises:
        BadInput: labels are missing or wrong, or the grades are not of these answers.
    """
    return [each for name in params.labels for each in _measure(name, params)]


def _measure(name: str, params: Params) -> Iterator[JudgedLabels]:
    answers, how = read_labels(paths.labels(name)), params.scores
    people = pair_people(
        (_conversation(answer), item.category, item.labels)
        for answer in answers
        for item in answer.criteria
    )
    if people:
        yield compare_labels(name, None, people, how)
    for judge in params.judgments.rubric_judges:
        path = paths.label_judgments(name, judge)
        if path.exists():
            rows = {row.id: row for row in jsonl.read(path, RubricJudgment, unique="id")}
            yield compare_labels(name, judge, _pair(answers, rows, str(path)), how)


def _pair(
    answers: Sequence[LabelledAnswer], rows: dict[str, RubricJudgment], path: str
) -> list[Pair]:
    pairs = []
    for answer in answers:
        graded = rows[answer.id].criteria if answer.id in rows else []
        if [item.criterion for item in graded] != [item.criterion for item in answer.criteria]:
            raise BadInput(f"{path}: answer {answer.id} is graded otherwise; run `dvc repro`")
        for item, said in zip(answer.criteria, graded, strict=True):
            for label in item.labels:
                pairs.append(Pair(_conversation(answer), item.category, said.met, label))
    return pairs


def _conversation(answer: LabelledAnswer) -> str:
    return f"{answer.instruction}\n\n{answer.input}"


def print_labels(found: Sequence[JudgedLabels], confidence: float) -> None:
    """Print a table for each judge and file of labels, and what it shows."""
    from rich.console import Console

    console = Console(markup=False, emoji=False, highlight=False)
    for each in found:
        who = each.judge or "physicians with one another"
        table = make_table(f"{who}: labels of {each.labels}", ("",), ("n", "same, %", "macro F1"))
        table.add_row("all", *_cells(each.overall))
        some = f"{each.with_f1} of " if each.with_f1 < each.categories else ""
        mean = f"mean of {some}{counted(each.categories, 'kind')}"
        table.add_row(mean, "", "", _figure(each.by_criterion, 1))
        for theme, agreement in each.by_theme.items():
            few = too_few_items(agreement.conversations)
            name = f"{theme} (few)" if few else theme
            table.add_row(fold_name(name, _NAME), *_cells(agreement), style=few and "dim")
        console.print(table)
    if found:
        console.print(_LEGEND.format(confidence))


def _cells(found: LabelAgreement) -> tuple[str, str, str]:
    n = f"{found.n:,}" if found.n == found.pairs else f"{found.n:,}/{found.pairs:,}"
    return n, _figure(found.accuracy, 100), _figure(found.macro_f1, 1)


def _figure(estimate: Estimate, times: float) -> str:
    if estimate.value is None or estimate.ci_low is None or estimate.ci_high is None:
        return "-"
    if times == 1:
        return f"{estimate.value:.3f} ({estimate.ci_low:.3f} to {estimate.ci_high:.3f})"
    low, high = percent(estimate.ci_low), percent(estimate.ci_high)
    return f"{percent(estimate.value)} ({low} to {high})"
