"""What answers to come will take, by those that are known: a likely value, and the most.

A likely value needs 50 known answers of a kind. "At most" needs none: each call at one token a byte
of prompt and all of `max_tokens`, asked again as often as its stage may ask again. From 10 known
answers on, n more take at most n means and some standard errors of such a sum (four, and with few
known answers up to seven; the known mean's own error counts in), and never more than that bound.
This holds if answers to come are like those that are known; where these answered another version of
the prompt, half as much is added.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev
from typing import Self

from alpacare.llm.reply import Answer
from alpacare.llm.request import Request

ENOUGH = 50  # known answers of a kind, for a likely value
SOME = 10  # for a bound
LENGTHS, YIELDS = 4, 2.5  # standard errors; of yields fewer, as the lengths' margin comes on top
_MORE_ERRORS = 30  # divided by the number of values: few tell less, about as Student's t has it
_LEAST_DEVIATION = 0.1  # of the mean: answers that are all alike prove little


@dataclass(frozen=True)
class Usage:
    """What one request took, with all that was asked again for it."""

    size: int  # bytes of the request
    tokens_in: int
    tokens_out: int


@dataclass(frozen=True)
class Spread:
    """Mean and standard deviation of known values."""

    mean: float
    deviation: float
    count: int
    errors: float = LENGTHS  # standard errors of a bound

    @classmethod
    def of(cls, values: Sequence[float], errors: float = LENGTHS) -> Self:
        """Measure values, one at least."""
        mean = fmean(values)
        return cls(mean, max(pstdev(values), _LEAST_DEVIATION * mean), len(values), errors)

    def margin(self, count: int) -> float:
        """How far the sum of so many further values may lie from so many means."""
        errors = self.errors + _MORE_ERRORS / self.count
        return errors * self.deviation * math.sqrt(count + count**2 / self.count)

    def sum_at_most(self, count: int) -> float:
        """Give the most that so many further values add up to."""
        return count * self.mean + self.margin(count)

    def count_at_most(self, total: float, limit: int) -> int:
        """Give the most further values that a sum of `total` takes, `limit` at most."""
        # `n` values' least sum grows with `n`, once it is above zero
        return bisect_left(
            range(limit), True, key=lambda n: n * self.mean - self.margin(n) >= total
        )


def measure(request: Request, answers: Sequence[Answer]) -> Usage:
    """Sum up the calls that one request took; one without counts was paid as the longest."""
    calls: list[Answer] = []
    for answer in answers:
        calls += [answer, answer.cut] if answer.cut else [answer]
    size = request.most_input_tokens()
    counted = [(call.tokens_in, call.tokens_out) for call in calls if call.tokens_in]
    counted += [(size, request.most_output_tokens() or 0)] * (len(calls) - len(counted))
    return Usage(size, sum(each[0] for each in counted), sum(each[1] for each in counted))


def longest_calls(request: Request, tries: int, reminder: int) -> list[tuple[int, int]]:
    """Give the most tokens in and out of each call that one request can lead to.

    A stage may ask `tries` times, each time with the replies so far and a `reminder` (bytes).
    """
    calls = []
    for each in (request, request.with_higher_limit()):
        if each:
            size, room = each.most_input_tokens(), each.most_output_tokens() or 0
            calls += [(size + number * (room + reminder), room) for number in range(tries)]
    return calls
