"""The model's card: what training wrote, with licence, win rates and provenance added."""

from collections.abc import Mapping, Sequence

from alpacare.core.errors import BadInput
from alpacare.evaluation.score import Score
from alpacare.evaluation.score_table import Cell, row
from alpacare.publishing.card_parts import licence_section, provenance_section, table
from alpacare.publishing.freshness import Commit
from alpacare.publishing.licences import Licence
from alpacare.publishing.origin import Facts

_HEAD = ("test set", "against", "judge", "win rate", "at equal length", "valid", "consistent")

_SCORES = """\
## Win rates

In %, with {confidence:g} % intervals over the test items; they do not cover the luck of a training
run.

{rows}
Consistent: % with the same verdict in both orders. `base` is this model before training. `overlap`
and `longest` only compare words and lengths: they are smoke detectors and know no medicine.
"""
_NO_SCORES = "## Win rates\n\nNot judged.\n"


def model_card(
    text: str,
    *,
    on_the_hub: bool,
    dataset: str | None,
    scores: Mapping[Cell, Score],
    facts: Facts,
    licence: Licence,
    binds: Sequence[str],
    commit: Commit,
    hashes: Mapping[str, str],
    versions: Mapping[str, str],
) -> str:
    """Add to the card that training wrote.

    `on_the_hub`: the model it starts from is one of the Hub's, and not a folder here. `dataset`:
    the Hub's name of the data, where it is published too.
    """
    head, body = _split(text)
    kept = [line for line in head if on_the_hub or not line.startswith("base_model:")]
    data = ["datasets:", f"- {dataset}"] if dataset else []
    return "\n".join(
        [
            "\n".join(["---", *licence.front_matter(), *kept, *data, "---"]),
            body.rstrip("\n") + "\n",
            "## Training data\n\n" + table(("", ""), facts),
            _scores(scores),
            licence_section(licence, binds),
            provenance_section(commit, hashes, versions),
        ]
    )


def _split(text: str) -> tuple[list[str], str]:
    """Part the lines of the front matter from the card itself."""
    start, _, rest = text.partition("---\n")
    head, mark, body = rest.partition("\n---\n")
    if start or not mark:
        raise BadInput("models/checkpoint/README.md: is not the card that training writes")
    return head.splitlines(), body


def _scores(scores: Mapping[Cell, Score]) -> str:
    if not scores:
        return _NO_SCORES
    rows = [(*cell, *row(score)) for cell, score in scores.items()]
    confidence = 100 * max(score.confidence for score in scores.values())
    return _SCORES.format(confidence=confidence, rows=table(_HEAD, rows))
