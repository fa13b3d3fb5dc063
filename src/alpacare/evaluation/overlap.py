"""The `overlap` judge: a smoke detector that compares words and needs no model.

It prefers the answer nearer, by mean ROUGE-L F, to the item's other written answers. It tells
gibberish from English; it knows nothing of medicine.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from alpacare.records.judgment import Order, Verdict
from alpacare.text.rouge import encode, scores


@dataclass(frozen=True)
class Opinion:
    """What the judge says of one pair in one order."""

    raw: str
    verdict: Verdict


def compare(
    model: str, reference: str, written: Sequence[str], margin: float, order: Order
) -> Opinion:
    """Judge one pair: `raw` says what "(a)" and "(b)", first and second shown, scored.

    `written` are the item's answers by others than the two being judged; at least one.
    """
    encoded = encode([model, reference, *written])
    means = scores(encoded[:2], encoded[2:]).mean(axis=1)
    of_model, of_reference = float(means[0]), float(means[1])
    first, second = (of_model, of_reference) if order == "model_first" else (of_reference, of_model)
    return Opinion(
        f"overlap (a) {first:.4f}, (b) {second:.4f}", _verdict(of_model, of_reference, margin)
    )


def _verdict(of_model: float, of_reference: float, margin: float) -> Verdict:
    if abs(of_model - of_reference) <= margin:
        return "tie"
    return "model" if of_model > of_reference else "reference"
