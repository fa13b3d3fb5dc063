"""Benchmarks, run by lm-eval on files of this project, with each item's result kept."""

from alpacare.core.public import exports

__getattr__, __all__ = exports(
    __name__,
    running="BenchmarkRun run_benchmark",
    settings="LmEvalSettings",
    task_file="TaskFile read_task",
)
