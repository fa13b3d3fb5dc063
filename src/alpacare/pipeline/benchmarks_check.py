"""A look at the benchmarks of params.yaml before any of them runs."""

from importlib.util import find_spec

from alpacare.benchmarks.task_file import read_task
from alpacare.core.errors import BadInput
from alpacare.pipeline import paths
from alpacare.pipeline.params import Params
from alpacare.records.benchmark_item import read_benchmark


def check_benchmarks(params: Params) -> None:
    """Check that each benchmark has its folder and its items, and that lm-eval is here.

    Raises:
        BadInput: something is missing, or wrong.
    """
    for name in params.benchmarks:
        folder, items = paths.benchmark(name)
        task = read_task(folder, items)
        task.check_examples(folder, params.lm_eval.few_shot, len(read_benchmark(items)))
    if params.benchmarks and find_spec("lm_eval") is None:
        raise BadInput("benchmarks: lm-eval is not installed; run: make benchmarks")
