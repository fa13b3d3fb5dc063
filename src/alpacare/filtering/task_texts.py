"""Which text of a task is compared with others, by `filtered.compare`."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from pydantic import ConfigDict

from alpacare.core.jsonl import Row
from alpacare.filtering import tokens
from alpacare.filtering.contamination import TaskTexts
from alpacare.filtering.settings import ContaminationSettings
from alpacare.filtering.shared_text import SharedText, evenly_spread, shared_text
from alpacare.filtering.tokens import Tokenizer
from alpacare.records.response import Response
from alpacare.records.task import Question

_KIND = "\x1f"  # opens a text that is compared only with those of the same instruction
_CACHED = 1 << 15  # texts of two chunks


class TaskRow(Row):
    """A row of a file to filter, or to compare with; it may have other fields."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)

    id: str
    instruction: str
    input: str = ""


AnyRow = TaskRow | Question | Response


class ComparedTexts:
    """The texts compared, once it is known what the rows share.

    `auto` leaves out what nearly all rows share. An instruction that comes again and again is no
    evidence of likeness: such rows are compared by their inputs. Unless nearly all rows have that
    one instruction, they are compared only among themselves, since "translate" and "sum up" of one
    text are two tasks.
    """

    def __init__(self, settings: ContaminationSettings, tests: Sequence[AnyRow] = ()) -> None:
        self._compare = settings.compare
        self._latin = settings.tokenizer == "latin"
        # cached, since seeds, test sets and the join use the same texts one after the other
        tokenizer: Tokenizer = getattr(tokens, settings.tokenizer)
        self._tokens = lru_cache(_CACHED)(tokenizer)
        self._tests = [shared_text(rows) for rows in _by_test_set(tests).values()]
        self._numbers: dict[str, int] = {}
        self.rows = SharedText()
        self.looked = False

    def look_at(self, rows: Sequence[AnyRow]) -> None:
        """See what rows share; of many, those of `evenly_spread`."""
        looked_at = (rows[place] for place in evenly_spread(len(rows)))
        self.rows = shared_text([(row.instruction, row.input) for row in looked_at])
        self._numbers = {text: n for n, text in enumerate(sorted(self.rows.repeated))}
        self.looked = True

    @property
    def tokenizer(self) -> Tokenizer:
        """What splits the texts that this gives."""
        return self._split

    def left_out(self) -> list[str]:
        """Give the texts that nearly all rows have, left out of what is compared."""
        rows = self.rows
        ends = (rows.instruction, rows.input) if self._compare == "auto" else ()
        constant = sorted(rows.repeated) if rows.constant and ends else []
        texts = [*(text for end in ends for text in (end.lead, end.tail)), *constant]
        return list(filter(None, map(str.strip, texts)))

    def by_input(self, task: AnyRow) -> bool:
        """Say whether the input alone is compared."""
        if self._compare == "auto":
            own, material = self.rows.own(task.instruction, task.input)
            return bool(material) and not own
        return self._compare == "input" and bool(task.input.strip())

    def unseen(self, task: AnyRow) -> bool:
        """Say whether the tokenizer misses most of a task's letters, so that it is not compared."""
        return self._latin and tokens.mostly_unseen(task.instruction)

    def near_duplicate(self, task: AnyRow) -> str:
        """Give the text that is compared with other rows and seeds; "" is near none."""
        if self._compare == "task":
            return self._seen(f"{task.instruction}\n{task.input}")
        if self._compare == "input":
            return self._seen(task.input if task.input.strip() else task.instruction)
        if self._compare == "instruction":
            return self._seen(task.instruction)
        own, material = self.rows.own(task.instruction, task.input)
        if own or not material:
            return self._seen(own or task.instruction)
        number = self._numbers.get(self.rows.instruction.strip(task.instruction))
        text = self._seen(material)
        alone = self.rows.constant or number is None or not text
        return text if alone else f"{_KIND}{number}{_KIND}{text}"

    def contamination(self, task: AnyRow) -> TaskTexts:
        """Give the texts that are compared with test tasks, or of a test task with rows."""
        own, material = task.instruction, task.input
        for shared in (self.rows, *self._tests):
            own, material = shared.own(own, material)
        if self._compare == "task":
            text = f"{own}\n{material}"
        elif self._compare == "input":
            text = material or own
        else:
            text = own or material
        if not text.strip():  # nothing is its own
            text = own = task.instruction
        asked, told = self._later_turns(task)
        parts = (self._seen(own), self._seen(material), *asked, *told)
        # a test task may ask in one text what a row has in two, such as a question and its options
        whole = (self._seen(f"{own}\n{material}"),) if own and material else ()
        stem = getattr(task, "question", "")
        same = self._own_turn(stem) if stem else "" if material else parts[0]
        return TaskTexts(self._seen(text), parts, (*whole, *asked), same)

    def _later_turns(self, task: AnyRow) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Give a conversation's questions after the first, and what it tells as a system."""
        turns = getattr(task, "messages", None) or ()
        asked = [turn.content for turn in turns if turn.role == "user"][1:]
        told = [turn.content for turn in turns if turn.role == "system"]
        return tuple(map(self._own_turn, asked)), tuple(map(self._own_turn, told))

    def _own_turn(self, turn: str) -> str:
        own = turn
        for shared in (self.rows, *self._tests):
            own = shared.own(own, "")[0]
        return self._seen(own or turn)

    def _seen(self, text: str) -> str:
        """Give a text, or "" if the tokenizer misses most of it: what is left proves nothing."""
        return "" if self._latin and tokens.mostly_unseen(text) else text

    def _split(self, text: str) -> list[str]:
        if not text.startswith(_KIND):
            return self._tokens(text)
        kind, _, text = text[1:].partition(_KIND)
        return [f"{kind}{_KIND}{token}" for token in self._tokens(text)]


def _by_test_set(tests: Iterable[AnyRow]) -> dict[str, list[tuple[str, str]]]:
    """Group test tasks by their set, which their ids begin with."""
    sets: dict[str, list[tuple[str, str]]] = {}
    for test in tests:
        name, slash, _ = test.id.partition("/")
        sets.setdefault(name if slash else "", []).append((test.instruction, test.input))
    return sets
