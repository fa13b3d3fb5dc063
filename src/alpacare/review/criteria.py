"""The criteria by which people compare: those of AlpaCare's clinicians (arXiv 2310.14558)."""

from typing import NamedTuple


class Criterion(NamedTuple):
    """Its name in the records, its title, and the question to the reviewer."""

    name: str
    title: str
    question: str


CRITERIA = (
    Criterion("correctness", "Correctness", "Which answer is medically more accurate and safe?"),
    Criterion("helpfulness", "Helpfulness", "Which answer does more for the person who asked?"),
)
