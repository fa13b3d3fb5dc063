"""A judge's met and unmet against people's labels: agreement and macro F1 (HealthBench, section 8).

Each verdict is paired with each label of its criterion, as in HealthBench's meta-evaluation
(arXiv 2505.08775; healthbench_meta_eval.py of openai/simple-evals: `f1_balanced`). F1 of "met" is
2 TP / (2 TP + FP + FN), F1 of "not met" the same with the sides swapped; macro F1 is their mean,
and there is none where a side never occurs. Intervals: by a bootstrap over conversations, as those
of win rates are over items: all answers to one, with their criteria and labels, are a cluster.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isnan
from typing import NamedTuple

from alpacare.core.jsonl import Row
from alpacare.evaluation.agreement import Estimate
from alpacare.evaluation.bootstrap import (
    Resampling,
    draw,
    effective_sample_size,
    share_interval,
)
from alpacare.evaluation.items import Array

THEMES = (
    *("emergency_referrals", "context_seeking", "global_health", "health_data_tasks"),
    *("communication", "hedging", "complex_responses"),
)  # HealthBench's, with which its categories of criteria begin


class Pair(NamedTuple):
    """One verdict beside one label; None where the judge could not be read."""

    conversation: str
    category: str
    verdict: bool | None
    label: bool


class LabelAgreement(Row):
    """A judge, or a person, against labels: n pairs with a verdict, of `pairs`."""

    n: int
    pairs: int
    conversations: int
    accuracy: Estimate
    macro_f1: Estimate


class JudgedLabels(Row):
    """How far a judge agrees with the labels of one file; `judge` None: people with one another.

    `by_criterion`: the mean over categories of their macro F1, as in the paper's section 8; of
    `with_f1` of all `categories`, those in which both sides occur.
    """

    labels: str
    judge: str | None
    overall: LabelAgreement
    by_theme: dict[str, LabelAgreement]
    by_criterion: Estimate
    categories: int
    with_f1: int


def theme_of(category: str) -> str:
    """Give the theme of a category such as "cluster:hedging_any-reducible-uncertainty_hedges"."""
    name = category.removeprefix("cluster:")
    return next((theme for theme in THEMES if name.startswith(theme)), name)


def compare_labels(
    labels: str, judge: str | None, pairs: Sequence[Pair], how: Resampling
) -> JudgedLabels:
    """Measure the agreement of verdicts with labels, overall and by theme."""
    themes = sorted({theme_of(pair.category) for pair in pairs} - {""})
    categories = _group(pairs, lambda pair: pair.category)
    by_criterion, with_f1 = _mean_over(categories, how)
    return JudgedLabels(
        labels=labels,
        judge=judge,
        overall=_measure(pairs, how),
        by_theme={
            theme: _measure([pair for pair in pairs if theme_of(pair.category) == theme], how)
            for theme in themes
        },
        by_criterion=by_criterion,
        categories=len(categories),
        with_f1=with_f1,
    )


def pair_people(labels: Iterable[tuple[str, str, Sequence[bool]]]) -> list[Pair]:
    """Pair each person's label with those of the others on the same criterion of an answer."""
    return [
        Pair(conversation, category, own, other)
        for conversation, category, given in labels
        for place, own in enumerate(given)
        for other in (*given[:place], *given[place + 1 :])
    ]


def _group(pairs: Sequence[Pair], key: Callable[[Pair], str]) -> dict[str, list[Pair]]:
    found = defaultdict[str, list[Pair]](list)
    for pair in pairs:
        found[key(pair)].append(pair)
    return dict(found)


def _measure(pairs: Sequence[Pair], how: Resampling) -> LabelAgreement:
    clusters = list(dict.fromkeys(pair.conversation for pair in pairs))
    counts = _count(pairs, clusters)
    drawn = draw(len(clusters), how.resamples, how.seed) @ counts
    whole = counts.sum(axis=0, keepdims=True)
    return LabelAgreement(
        n=int(whole.sum()),
        pairs=len(pairs),
        conversations=len(clusters),
        accuracy=_estimate(_accuracy(whole), _accuracy(drawn), len(clusters), how),
        macro_f1=_estimate(_macro_f1(whole), _macro_f1(drawn), len(clusters), how),
    )


def _count(pairs: Sequence[Pair], clusters: Sequence[str]) -> Array:
    """Count pairs by cluster, shape (clusters, 4): both met, judge alone, label alone, neither."""
    import numpy as np

    places = {name: place for place, name in enumerate(clusters)}
    counts = np.zeros((len(clusters), 4))
    for pair in pairs:
        if pair.verdict is not None:
            counts[places[pair.conversation], 2 * (not pair.verdict) + (not pair.label)] += 1
    return counts


def _accuracy(counts: Array) -> Array:
    return _share(counts[:, 0] + counts[:, 3], counts.sum(axis=1))


def _macro_f1(counts: Array) -> Array:
    wrong = counts[:, 1] + counts[:, 2]
    met = _share(2 * counts[:, 0], 2 * counts[:, 0] + wrong)
    unmet = _share(2 * counts[:, 3], 2 * counts[:, 3] + wrong)
    both: Array = (met + unmet) / 2
    return both


def _share(part: Array, whole: Array) -> Array:
    import numpy as np

    shares: Array = np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
    return shares


def _mean_over(groups: Mapping[str, Sequence[Pair]], how: Resampling) -> tuple[Estimate, int]:
    """Give the mean of the groups' macro F1, and of how many; groups without one are left out."""
    import numpy as np

    pairs = [pair for each in groups.values() for pair in each]
    clusters = list(dict.fromkeys(pair.conversation for pair in pairs))
    if not clusters:
        return Estimate(), 0
    draws = draw(len(clusters), how.resamples, how.seed)
    counts = [_count(each, clusters) for each in groups.values()]
    whole = np.stack([_macro_f1(each.sum(axis=0, keepdims=True)) for each in counts])
    known = ~np.isnan(whole[:, 0])
    if not known.any():
        return Estimate(), 0
    drawn = np.stack([_macro_f1(draws @ each) for each in counts])[known]
    there = ~np.isnan(drawn)  # in a draw, no group may have one
    means = _share(np.where(there, drawn, 0.0).sum(axis=0), there.sum(axis=0))
    mean = _estimate(whole[known].mean(axis=0), means, len(clusters), how)
    return mean, int(known.sum())


def _estimate(whole: Array, drawn: Array, clusters: int, how: Resampling) -> Estimate:
    """Give a share with the bootstrap's spread in Wilson's shape, as win rates have it."""
    if isnan(value := float(whole[0])):
        return Estimate()
    size = effective_sample_size(value, drawn, clusters)
    low, high = share_interval(value, size, how.confidence)
    return Estimate(value=value, ci_low=low, ci_high=high)
