"""ROUGE for benchmarks whose answer is a text, by the package rouge-score, which lm-eval brings."""

from collections.abc import Sequence
from functools import cache
from typing import Any


def rouge_l(references: Sequence[str], predictions: Sequence[str]) -> float:
    """Give ROUGE-L's F of one answer, 0 to 1 (Lin 2004, aclanthology.org/W04-1013)."""
    return _score("rougeL", references[0], predictions[0])


def rouge_1(references: Sequence[str], predictions: Sequence[str]) -> float:
    """Give ROUGE-1's F of one answer, 0 to 1."""
    return _score("rouge1", references[0], predictions[0])


def _score(kind: str, reference: str, answer: str) -> float:
    return float(_scorer().score(reference, answer)[kind].fmeasure)


@cache
def _scorer() -> Any:
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(["rouge1", "rougeL"], use_stemmer=True)
