"""Decides which label lines of a reply open a field, which begin the next task, which are text.

"View: PA and lateral" may be a task's view or a line of a radiology report; a reply may omit a
field, have the fields in another order, or no mark between its tasks. No single line decides, so
every reading of a section's label lines gets a cost and the cheapest wins, found by Viterbi's
algorithm: one step for each label line, with the cheapest path to each state.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from typing import NamedTuple

LABELS = ("type", "topic", "view", "difficulty", "instruction", "input")
LONG = ("instruction", "input")  # the fields that may hold many lines

# Costs of the parts of a reading; only their proportions matter.
_TEXT = 10  # a label line inside an instruction or an input is text
_TEXT_IN_SHORT = 30  # the same inside a field that holds one line
_MISSING = 9  # a task lacks a field
_UNFINISHED = 1  # the same, where the reply may have ended before it
_WRONG_ORDER = 8  # a field follows one that it precedes in the other tasks
_START = 2  # a task begins
_IMPLAUSIBLE_START = 15  # ... with a value that is not plausible
_ODD_START = 6  # ... with a field that is not the first in the other tasks
_UNLIKE_START = 10  # ... without such a number or heading as the first task has
_STATES_KEPT = 8  # of at most 192; real replies need two or three


class Heading(NamedTuple):
    """The line above a label, if it can be a task's heading.

    `kind` is "digits." for "3.", as "13.." in a text is no such number; "digits)" for "(3)",
    "title." for "3. Heart failure", "# number" for "### 3.", and the mark of any other heading,
    such as "##".
    """

    line: int
    kind: str


@dataclass(frozen=True, slots=True)
class Label:
    """A line that begins with a label: `value` is its rest.

    `after_blank` if an empty line precedes it; `plausible` if the value fits the label; `column` is
    where the label begins in its line; `above` is a heading on the line above; `mark` is what
    precedes the label: "number" in its own line ("2. Type: chat"), the kind of `above`, or "".
    """

    line: int
    name: str
    value: str
    after_blank: bool
    plausible: bool
    column: int
    mark: str
    above: Heading | None


def most_frequent_order(sections: Iterable[Sequence[Label]], mark: str) -> tuple[str, ...]:
    """Find the most frequent run of six labels, else the prompt's order.

    Runs that begin a section, follow an empty line, or have the `mark` of the first task count
    more.
    """
    runs: Counter[tuple[str, ...]] = Counter({LABELS: 1})
    for labels in sections:
        for start, first in enumerate(labels[: len(labels) - len(LABELS) + 1]):
            names = tuple(label.name for label in labels[start : start + len(LABELS)])
            if len(set(names)) == len(LABELS):
                marked = first.after_blank + 2 * (first.mark == mark != "")
                runs[names] += 1 + (marked if start > 0 else 1)
    return runs.most_common(1)[0][0]


State = tuple[frozenset[str], str]  # the fields that the task has so far, and the open one
# an opened field, whether a task begins there, the path before it
ReadingPath = tuple[Label, bool, "ReadingPath | None"]


@dataclass(frozen=True)
class LabelReader:
    """Reads sections of one reply: the usual `order` of its fields, its first task's `mark`."""

    order: tuple[str, ...]
    mark: str

    def read(self, labels: Sequence[Label], is_last: bool) -> list[list[Label]]:
        """Give the tasks of a section, each as the labels that open its fields.

        The first label begins a task. `is_last`: the reply ends here.
        """
        if not labels:
            return []
        first, *rest = labels
        paths: dict[State, tuple[int, ReadingPath]] = {}
        paths[frozenset((first.name,)), first.name] = (0, (first, True, None))
        for label in rest:
            paths = self._step(paths, label)
        ends = (
            (cost + self._missing_cost(state[0], is_last), path)
            for state, (cost, path) in paths.items()
        )
        return _tasks(min(ends, key=lambda end: end[0])[1])

    def _step(
        self, paths: dict[State, tuple[int, ReadingPath]], label: Label
    ) -> dict[State, tuple[int, ReadingPath]]:
        reached: dict[State, tuple[int, ReadingPath]] = {}

        def reach(state: State, cost: int, path: ReadingPath) -> None:
            if state not in reached or cost < reached[state][0]:
                reached[state] = (cost, path)

        for (seen, last), (cost, path) in paths.items():
            reach((seen, last), cost + (_TEXT if last in LONG else _TEXT_IN_SHORT), path)
            if label.name not in seen:
                state = (seen | {label.name}, label.name)
                ordered = self.order.index(label.name) > self.order.index(last)
                reach(state, cost + (0 if ordered else _WRONG_ORDER), (label, False, path))
            cost += self._missing_cost(seen, is_last=False) + self._start_cost(label)
            reach((frozenset((label.name,)), label.name), cost, (label, True, path))
        return dict(nsmallest(_STATES_KEPT, reached.items(), key=lambda item: item[1][0]))

    def _start_cost(self, label: Label) -> int:
        cost = _START + _IMPLAUSIBLE_START * (not label.plausible)
        cost += _ODD_START * (label.name != self.order[0])
        return cost + _UNLIKE_START * (label.mark != self.mark)

    def _missing_cost(self, seen: frozenset[str], is_last: bool) -> int:
        ended = is_last and seen == set(self.order[: len(seen)])
        return (len(LABELS) - len(seen)) * (_UNFINISHED if ended else _MISSING)


def _tasks(path: ReadingPath | None) -> list[list[Label]]:
    tasks: list[list[Label]] = [[]]
    while path:
        label, begins, path = path
        tasks[-1].append(label)
        if begins:
            tasks.append([])
    return [task[::-1] for task in tasks[-2::-1]]
