"""Win rates averaged over references, worked out from the judgments when they are looked at.

No stage: it would depend on every cell at once, and DVC's stages cannot (a folder of cells as a
dependency keeps those that are gone).
"""

from collections.abc import Sequence

from alpacare.evaluation.bootstrap import Resampling, draw
from alpacare.evaluation.items import Items, gather, read_judgments
from alpacare.evaluation.paired_comparison import average
from alpacare.evaluation.score import Mean
from alpacare.evaluation.statistics import rate
from alpacare.pipeline.dvc_yaml import rows_path
from alpacare.pipeline.params import BASE, Params


def average_all(params: Params) -> dict[tuple[str, str], Mean]:
    """Give the mean by test set and judge where there are two references or more.

    Without base: the student before training is no model that anybody compares with. Nothing where
    a reference's judgments are not here, as in a clone before `dvc pull`.
    """
    means = {}
    for test in params.tests:
        for judge in params.judgments.judges:
            paths = [
                rows_path("scores", "data/judgments/", test=test, reference=reference, judge=judge)
                for reference in params.judgments.references
                if reference != BASE
            ]
            if all(path.exists() for path in paths):
                items = [gather(read_judgments(path)) for path in paths]
                judged = [each for each in items if each.ids]  # others did not answer this test set
                if len(judged) > 1:
                    means[test, judge] = mean_of(judged, params.scores)
    return means


def mean_of(references: Sequence[Items], how: Resampling) -> Mean:
    """Average over references; an item with its verdicts against all of them is one cluster."""
    import numpy as np

    leads = np.array(list(average([items.by_id() for items in references]).values()))
    draws = draw(len(leads), how.resamples, how.seed)
    found = rate(leads, draws, how.confidence)
    return Mean(rate=found, references=len(references), n=len(leads))
