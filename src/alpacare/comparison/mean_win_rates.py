"""Win rates averaged over references, computed from the judgments each time they are shown.

This is not a stage: it would depend on all cells, and a folder of cells as a DVC dependency also
holds cells that are no longer compared.
"""

from collections.abc import Sequence
from itertools import product

from alpacare.evaluation.bootstrap import Resampling
from alpacare.evaluation.items import Items, gather, read_judgments
from alpacare.evaluation.paired_comparison import average_preferences
from alpacare.evaluation.score import Mean
from alpacare.evaluation.win_rates import win_rate_of
from alpacare.pipeline import paths
from alpacare.pipeline.params import Params
from alpacare.records.comparisons import BASE


def average_win_rates(params: Params) -> dict[tuple[str, str], Mean]:
    """Give the mean by test set and judge where there are two references or more.

    The reference `base`, the student before training, does not count. There is no mean where the
    judgments of a reference are missing, as in a clone before `dvc pull`.
    """
    means = {}
    references = [name for name in params.judgments.references if name != BASE]
    for test, judge in product(params.tests, params.judgments.all_judges):
        files = [paths.judgments(test, reference, judge) for reference in references]
        if all(path.exists() for path in files):
            items = [gather(read_judgments(path)) for path in files]
            judged = [each for each in items if each.ids]  # some did not answer this test set
            if len(judged) > 1:
                means[test, judge] = mean_win_rate(judged, params.scores)
    return means


def mean_win_rate(references: Sequence[Items], how: Resampling) -> Mean:
    """Average over references; an item with its verdicts against all of them is one cluster."""
    means = list(average_preferences([items.by_id() for items in references]).values())
    return Mean(rate=win_rate_of(means, how), references=len(references), n=len(means))
