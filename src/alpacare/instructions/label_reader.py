"""Which label lines of a reply open a field, which begin the next task, and which are text.

"View: PA and lateral" may be a task's view or a line of a radiology report; a reply may put nothing
between its tasks, leave a field out, or take the fields in another order. No single line tells, so
every reading of a section's label lines gets a cost and the cheapest is taken, found as in
Viterbi's algorithm: one step a label line, keeping the cheapest way to each state.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from typing import NamedTuple

LABELS = ("type", "topic", "view", "difficulty", "instruction", "input")
LONG = ("instruction", "input")  # the fields that may hold many lines

# What the parts of a reading cost; only their proportions matter.
_TEXT = 10  # a label line inside an instruction or an input is text
_TEXT_IN_SHORT = 30  # the same inside a field that holds one line
_MISSING = 9  # a task lacks a field
_UNFINISHED = 1  # the same, where the reply may have ended before it
_BACKWARDS = 8  # a field follows one that it precedes in the other tasks
_START = 2  # a task begins
_IMPLAUSIBLE_START = 15  # ... with a value that is not plausible
_ODD_START = 6  # ... with a field that is not the first in the other tasks
_UNLIKE_START = 10  # ... without such a number or heading as the first task has
_STATES_KEPT = 8  # of at most 192; real replies need two or three


class Above(NamedTuple):
    """The line above a label, if it can be a task's heading.

    `kind` is "digits" for "3." or "(3)", "title" for "3. Heart failure", "# number" for "### 3.",
    and the mark of any other, such as "##".
    """

    line: int
    kind: str


@dataclass(frozen=True, slots=True)
class Label:
    """A line that begins with a label: `value` is its rest.

    `apart` if an empty line stands between it and the text above; `plausible` if the value can be
    what the label promises; `above` is a heading on the line above; `column` is where the label
    begins in its line; `mark` tells what precedes it: "number" in its own line as in
    "2. Type: chat", the kind of what is `above`, or "".
    """

    line: int
    name: str
    value: str
    apart: bool
    plausible: bool
    column: int
    mark: str
    above: Above | None


@dataclass(frozen=True)
class Order:
    """The order in which most tasks of a reply hold their fields."""

    names: tuple[str, ...]

    @classmethod
    def of(cls, sections: Iterable[Sequence[Label]], mark: str) -> "Order":
        """Find the most frequent run of six labels, the prompt's order if none is more so.

        Runs that begin a section, stand below an empty line, or have the `mark` of the first task
        count more.
        """
        runs: Counter[tuple[str, ...]] = Counter({LABELS: 1})
        for labels in sections:
            for start, first in enumerate(labels[: len(labels) - len(LABELS) + 1]):
                names = tuple(label.name for label in labels[start : start + len(LABELS)])
                if len(set(names)) == len(LABELS):
                    marked = first.apart + 2 * (first.mark == mark != "")
                    runs[names] += 1 + (marked if start > 0 else 1)
        return cls(runs.most_common(1)[0][0])

    def begins_with(self, names: Collection[str]) -> bool:
        """Say whether `names` are the first fields of a task."""
        return set(self.names[: len(names)]) == set(names)


State = tuple[frozenset[str], str]  # the fields that the task has so far, and the open one
Trail = tuple[Label, bool, "Trail | None"]  # an opened field, whether a task begins, what preceded


@dataclass(frozen=True)
class Reader:
    """Reads sections of one reply; `mark` is what stands before its first task."""

    order: Order
    mark: str

    def read(self, labels: Sequence[Label], is_last: bool) -> list[list[Label]]:
        """Give the tasks of a section, each as the labels that open its fields.

        The first label begins a task. `is_last` tells that the reply ends here.
        """
        if not labels:
            return []
        first, *rest = labels
        ways: dict[State, tuple[int, Trail]] = {}
        ways[frozenset((first.name,)), first.name] = (0, (first, True, None))
        for label in rest:
            ways = self._step(ways, label)
        ends = (
            (cost + self._end(state[0], is_last), trail) for state, (cost, trail) in ways.items()
        )
        return _tasks(min(ends, key=lambda end: end[0])[1])

    def _step(
        self, ways: dict[State, tuple[int, Trail]], label: Label
    ) -> dict[State, tuple[int, Trail]]:
        reached: dict[State, tuple[int, Trail]] = {}

        def reach(state: State, cost: int, trail: Trail) -> None:
            if state not in reached or cost < reached[state][0]:
                reached[state] = (cost, trail)

        for (seen, last), (cost, trail) in ways.items():
            reach((seen, last), cost + (_TEXT if last in LONG else _TEXT_IN_SHORT), trail)
            if label.name not in seen:
                state = (seen | {label.name}, label.name)
                reach(state, cost + self._opening(last, label), (label, False, trail))
            cost += self._end(seen, is_last=False) + self._start(label)
            reach((frozenset((label.name,)), label.name), cost, (label, True, trail))
        return dict(nsmallest(_STATES_KEPT, reached.items(), key=lambda way: way[1][0]))

    def _opening(self, last: str, label: Label) -> int:
        return 0 if self._place(label.name) > self._place(last) else _BACKWARDS

    def _start(self, label: Label) -> int:
        odd = label.name != self.order.names[0]
        unlike = label.mark != self.mark
        return (
            _START
            + _ODD_START * odd
            + _UNLIKE_START * unlike
            + _IMPLAUSIBLE_START * (not label.plausible)
        )

    def _end(self, seen: frozenset[str], is_last: bool) -> int:
        ended = is_last and self.order.begins_with(seen)
        return (len(LABELS) - len(seen)) * (_UNFINISHED if ended else _MISSING)

    def _place(self, name: str) -> int:
        return self.order.names.index(name)


def _tasks(trail: Trail | None) -> list[list[Label]]:
    tasks: list[list[Label]] = [[]]
    while trail:
        label, begins, trail = trail
        tasks[-1].append(label)
        if begins:
            tasks.append([])
    return [task[::-1] for task in tasks[-2::-1]]
