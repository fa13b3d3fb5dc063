"""lm-eval's log of one item -> a row: what was chosen or written, its score, what did not fit."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any

from alpacare.benchmarks.task_file import TaskFile
from alpacare.core.errors import BadInput
from alpacare.records.benchmark_item import BenchmarkItem
from alpacare.records.benchmark_result import BenchmarkResult

if TYPE_CHECKING:
    from lm_eval.api.task import Task
    from lm_eval.models.huggingface import HFLM


class ResultReader:
    """Reads logged samples; `lm` is asked for numbers of tokens only, `task` for its choices."""

    def __init__(
        self, lm: "HFLM", task: "Task", file: TaskFile, items: Mapping[str, BenchmarkItem]
    ) -> None:
        self._lm, self._task, self._file, self._items = lm, task, file, items

    def read(self, sample: Mapping[str, Any]) -> BenchmarkResult:
        """Read one item's sample.

        Raises:
            BadInput: the task changes what the item is, or its score is no share.
        """
        item = self._items.get(sample["doc"].get("id", ""))
        if item is None:
            raise BadInput("its process_docs must keep the items' `id`")
        by_choice = self._file.kind == "multiple_choice"
        row = self._choice(item, sample) if by_choice else self._text(item, sample)
        chosen = None if row.chosen is None else float(row.chosen == item.answer)
        if by_choice and (row.choices != len(item.choices) or row.score != chosen):
            raise BadInput(
                f"item {item.id} is scored by other choices or another right one than its own; "
                "doc_to_choice must give a text for each of `choices`, doc_to_target be `answer`"
            )
        return row

    def _choice(self, item: BenchmarkItem, sample: Mapping[str, Any]) -> BenchmarkResult:
        choices: list[str] = self._task.doc_to_choice(sample["doc"])
        likelihoods = [float(each[0]) for each in sample["filtered_resps"][: len(choices)]]
        if not sample["arguments"][0][0]:
            raise BadInput(f"its doc_to_text gives item {item.id} no text")
        pairs = [self._lm._encode_pair(*each[:2]) for each in sample["arguments"][: len(choices)]]
        longest = max(len(context) + len(choice) for context, choice in pairs)
        scored = all(map(isfinite, likelihoods))
        return BenchmarkResult(
            id=item.id,
            answer=item.answer,
            choices=len(choices),
            chosen=_best(likelihoods, self._lengths(choices)) if scored else None,
            output=None,
            score=self._score(sample) if scored else None,
            likelihoods=[each if isfinite(each) else None for each in likelihoods],
            too_long=longest > self._lm.max_length + 1,
            cut_off=False,
            subject=item.subject,
        )

    def _score(self, sample: Mapping[str, Any]) -> float | None:
        value = sample.get(self._file.metric)
        if not isinstance(value, int | float) or value > 1 or value < 0:
            raise BadInput(
                f"metric '{self._file.metric}' gives {value!r:.40} for an item; the first of "
                "metric_list must score each item by itself, from 0 to 1"
            )
        return float(value) if isfinite(value) else None

    def _lengths(self, choices: Sequence[str]) -> list[int]:
        """Give what the metric divides each likelihood by; 1 if by nothing."""
        if self._file.metric == "acc_norm":
            return [len(text) for text in choices]
        if self._file.metric == "acc_bytes":
            return [len(text.encode()) for text in choices]
        return [1] * len(choices)

    def _text(self, item: BenchmarkItem, sample: Mapping[str, Any]) -> BenchmarkResult:
        context, options = sample["arguments"][0][:2]
        output = str(sample["filtered_resps"][0])
        most = options.get("max_gen_toks", self._lm.max_gen_toks)
        return BenchmarkResult(
            id=item.id,
            answer=item.answer,
            choices=0,
            chosen=None,
            output=output,
            score=self._score(sample),
            likelihoods=None,
            too_long=len(self._lm.tok_encode(context)) > self._lm.max_length - most,
            cut_off=len(self._lm.tok_encode(output, add_special_tokens=False)) >= most,
            subject=item.subject,
        )


def _best(likelihoods: Sequence[float], lengths: Sequence[int]) -> int:
    """Give the place of the highest, the first of several."""
    values = [each / length for each, length in zip(likelihoods, lengths, strict=True)]
    return values.index(max(values))
