"""From a judge's reply to a verdict, or to none: a pure function of the text.

A wrong verdict is far worse than none, since an unreadable reply is asked for again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import fsum

from alpacare.judging.verdicts.labels import Labels, read_json_label, read_label
from alpacare.judging.verdicts.ratings import Rated, Ratings, read_ratings
from alpacare.records.judgment import Slot
from alpacare.records.thoughts import remove_thoughts


@dataclass(frozen=True)
class Reading:
    """The better answer by the order shown; `slot` is None if the reply is unreadable.

    `ratings`: (first-shown, second-shown) by criterion, empty for a judge that gives a label.
    """

    slot: Slot | None
    ratings: Rated = field(default_factory=dict)


def read_verdict(
    reply: str, form: Labels | Ratings, shown_texts: Sequence[str] = (), *, cut: bool = False
) -> Reading:
    """Read a judge's reply; any text gives a reading.

    `shown_texts`: instruction, input and both answers; what the judge repeats of them is not its
    verdict. `cut`: the reply reached its token limit; an unfinished last sentence does not count.
    """
    own = remove_thoughts(reply)
    if isinstance(form, Labels):
        return Reading(read_json_label(own, form) or read_label(own, form, shown_texts, cut=cut))
    ratings = read_ratings(own, form, shown_texts)
    if ratings is None:
        return Reading(None)
    mean = fsum(first - second for first, second in ratings.values()) / len(ratings)
    difference = round(mean, 9)  # without rounding noise
    if abs(difference) <= form.tie_margin:
        return Reading("tie", ratings)
    return Reading("first" if difference > 0 else "second", ratings)
