"""One model meets one benchmark: lm-eval asks and scores, here each item's result is kept.

It is what `lm_eval run --tasks NAME --include_path benchmarks/NAME` does, item for item, with three
differences: weights that do not all load are refused, nothing is fetched, and the cache of data
is a folder that goes again.
"""

import logging
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from alpacare.benchmarks.item_results import ResultReader
from alpacare.benchmarks.settings import LmEvalSettings
from alpacare.benchmarks.task_file import TaskFile, read_task
from alpacare.compute.machine import device_name, versions
from alpacare.compute.pretrained import ModelSource
from alpacare.core import jsonl
from alpacare.core.errors import BadInput
from alpacare.core.files import write_json
from alpacare.core.progress import track
from alpacare.core.texts import counted
from alpacare.generation.model import load_model, load_tokenizer
from alpacare.prompting.student_prompt import StudentPrompt
from alpacare.records.benchmark_item import BenchmarkItem, read_benchmark
from alpacare.records.benchmark_result import BenchmarkResult

if TYPE_CHECKING:
    from lm_eval.api.task import Task
    from lm_eval.models.huggingface import HFLM

# lm-eval's own numbers, so that a run of its command line draws the same few-shot examples
_RANDOM_SEED, _OTHER_SEED = 0, 1234


@dataclass(frozen=True)
class BenchmarkRun:
    """A model's results, and how they came about."""

    rows: list[BenchmarkResult]
    described: Mapping[str, Any]

    def save(self, out: Path, run: Path) -> str:
        """Write both; sum up in one line."""
        jsonl.write(out, self.rows)
        write_json(run, self.described)
        scores = [row.score for row in self.rows if row.score is not None]
        failed = len(self.rows) - len(scores)
        mean = f"{100 * sum(scores) / len(scores):.1f} %" if scores else "nothing scored"
        return (
            f"{self.described['metric']} {mean} of {counted(len(scores), 'item')}, {failed} failed"
        )


def check_installed() -> None:
    """Look for lm-eval.

    Raises:
        BadInput: it is not there.
    """
    if find_spec("lm_eval") is None:
        raise BadInput("benchmarks: lm-eval is not installed; run: make benchmarks")


def run_benchmark(
    folder: Path, data: Path, source: ModelSource, prompt: StudentPrompt, settings: LmEvalSettings
) -> BenchmarkRun:
    """Let a model answer a benchmark; `prompt` asks it if `chat_template` is on.

    Raises:
        BadInput: lm-eval is missing, a file is wrong, the model cannot be read, or lm-eval fails.
    """
    check_installed()
    task_file, items = read_task(folder, data), read_benchmark(data)
    task_file.check_examples(folder, settings.few_shot, len(items))
    with tempfile.TemporaryDirectory() as cache:
        _stay_here(cache)
        lm = _open_model(source, prompt, settings)
        _show_progress(lm, folder.name)
        task = _load_task(folder, settings)
        samples = _evaluate(lm, task, settings)
    reader = ResultReader(lm, task, task_file, {item.id: item for item in items})
    try:
        rows = [reader.read(sample) for sample in samples]
    except BadInput as error:
        raise BadInput(f"{folder}/task.yaml: {error}") from error
    wanted = items[: settings.limit]
    return BenchmarkRun(_in_order(rows, wanted, folder), _describe(task_file, settings))


def _stay_here(cache: str) -> None:
    """Keep lm-eval from the network and from the user's cache, and its remarks from the screen."""
    os.environ |= {"HF_DATASETS_OFFLINE": "1", "HF_EVALUATE_OFFLINE": "1", "TQDM_DISABLE": "1"}
    import datasets

    datasets.config.HF_DATASETS_CACHE = cache
    datasets.disable_progress_bars()
    logging.getLogger("lm_eval").setLevel(logging.ERROR)


def _open_model(source: ModelSource, prompt: StudentPrompt, settings: LmEvalSettings) -> "HFLM":
    import torch
    from lm_eval.models.huggingface import HFLM

    tokenizer = load_tokenizer(source)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = load_model(source, settings.dtype, device, settings.threads)
    lm = HFLM(pretrained=model, tokenizer=tokenizer, batch_size=settings.batch_size)
    if settings.chat_template:
        # few-shot examples and all is one message; asked as the student is everywhere else
        lm.apply_chat_template = lambda turns, add_generation_prompt=True: prompt.render(
            tokenizer, "\n\n".join(turn["content"] for turn in turns), ""
        )
    return lm


def _show_progress(lm: "HFLM", title: str) -> None:
    """Show progress as other stages do: lm-eval tells its cache, which is not used, each answer."""

    def shown(ask: Callable[..., Any]) -> Callable[[Sequence[Any]], Any]:
        def ask_all(requests: Sequence[Any]) -> Any:
            with track(title, len(requests), "requests") as advance:
                lm.set_cache_hook(SimpleNamespace(add_partial=lambda *_: advance(1, "")))
                return ask(requests, disable_tqdm=True)

        return ask_all

    lm.loglikelihood, lm.generate_until = shown(lm.loglikelihood), shown(lm.generate_until)


def _load_task(folder: Path, settings: LmEvalSettings) -> "Task":
    """Load a task as lm-eval's command line does."""
    from lm_eval.tasks import TaskManager

    manager = TaskManager(include_path=str(folder), include_defaults=False)
    try:
        found = manager.load([folder.name])
    except Exception as error:  # each part of a task has errors of its own
        raise BadInput(f"{folder}/task.yaml: lm-eval: {_one_line(error)}") from error
    task: Task = found["tasks"][folder.name]
    if settings.few_shot is not None and task.get_config("num_fewshot") != 0:
        task.set_config(key="num_fewshot", value=settings.few_shot)
    task.set_fewshot_seed(seed=_OTHER_SEED)
    return task


def _evaluate(lm: "HFLM", task: "Task", settings: LmEvalSettings) -> list[dict[str, Any]]:
    import random

    import numpy as np
    import torch
    from lm_eval.evaluator import evaluate

    random.seed(_RANDOM_SEED)
    np.random.seed(_OTHER_SEED)
    torch.manual_seed(_OTHER_SEED)
    name = task.config.task
    try:
        found = evaluate(
            lm,
            {"tasks": {name: task}},
            limit=settings.limit,
            bootstrap_iters=0,
            apply_chat_template=settings.chat_template,
        )
    except torch.OutOfMemoryError:
        raise BadInput(
            "the GPU's memory is full; in section lm_eval lower batch_size, or set dtype: bfloat16"
        ) from None
    except BadInput:
        raise
    except Exception as error:  # of a template, a function or a metric of task.yaml
        raise BadInput(f"{name}: lm-eval: {_one_line(error)}") from error
    samples: list[dict[str, Any]] = found["samples"][name]
    first = samples[0]["filter"]  # with several filters a sample for each
    return [each for each in samples if each["filter"] == first]


def _in_order(
    rows: Sequence[BenchmarkResult], items: Sequence[BenchmarkItem], folder: Path
) -> list[BenchmarkResult]:
    found = {row.id: row for row in rows}
    if len(found) < len(rows):
        raise BadInput(f"{folder}/task.yaml: lm-eval scored an item twice")
    if lost := [item.id for item in items if item.id not in found]:
        raise BadInput(
            f"{folder}/task.yaml: lm-eval scored {len(found)} of {len(items)} items, and not "
            f"{lost[0]}; its process_docs must leave none out: delete them from the items"
        )
    return [found[item.id] for item in items]


def _one_line(error: Exception) -> str:
    """Give an error's text, or what one without is about."""
    if isinstance(error, KeyError) and error.args == (None,):
        return "a metric in metric_list, or its aggregation, that it does not know"
    if isinstance(error, AssertionError) and not str(error):
        return "a choice is longer than the model's context, or is no token of its own"
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _describe(task: TaskFile, settings: LmEvalSettings) -> dict[str, Any]:
    return {
        "benchmark": task.name,
        "metric": task.metric,
        "settings": settings.model_dump(),
        "versions": {**versions(device_name()), "lm_eval": version("lm_eval")},
    }
