"""What a judge's reply says: a pure function from its text to a verdict, or to none.

A wrong verdict is far worse than none, since a judge that cannot be understood is asked again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from alpacare.judging.verdicts.labels import Labels, read_label
from alpacare.judging.verdicts.own_words import without_thoughts
from alpacare.judging.verdicts.ratings import Ratings, difference, read_ratings
from alpacare.records.judgment import Slot


@dataclass(frozen=True)
class Reading:
    """The better of the two answers as shown; `slot` is None where the reply cannot be read.

    `ratings` are (first-shown, second-shown) by criterion, empty where the judge gives a label.
    """

    slot: Slot | None
    ratings: Mapping[str, tuple[float, float]] = field(default_factory=dict)


def read_verdict(
    reply: str, form: Labels | Ratings, judged: Sequence[str] = (), *, cut: bool = False
) -> Reading:
    """Read a judge's reply; any text gives a reading.

    `judged` are the texts that the judge was shown: instruction, input and both answers. What
    it repeats of them is not its own word. `cut` if the reply ran into its limit of tokens: what
    is left of its last sentence decides nothing.
    """
    said = without_thoughts(reply)
    if isinstance(form, Labels):
        return Reading(read_label(said, form, judged, cut=cut))
    ratings = read_ratings(said, form, judged)
    if ratings is None:
        return Reading(None)
    apart = difference(ratings)
    if abs(apart) <= form.tie_margin:
        return Reading("tie", ratings)
    return Reading("first" if apart > 0 else "second", ratings)
