"""In which regard people compare: AlpaCare's clinicians had the same two (arXiv 2310.14558)."""

from typing import NamedTuple


class Criterion(NamedTuple):
    """Its name in the records, and what a reviewer is asked."""

    name: str
    title: str
    question: str


CRITERIA = (
    Criterion("correctness", "Correctness", "Which answer is medically more accurate and safe?"),
    Criterion("helpfulness", "Helpfulness", "Which answer does more for the person who asked?"),
)
