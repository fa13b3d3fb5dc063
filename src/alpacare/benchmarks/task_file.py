"""A benchmark's folder: task.yaml in lm-eval's own format, read here without lm-eval."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from alpacare.core.errors import BadInput
from alpacare.core.files import read_text

Group = Literal["qa", "extraction", "generation", "general"]
TASK = "task.yaml"
_TEXT = "generate_until"
BY_CHOICE = ("acc", "acc_norm", "acc_bytes")  # metrics that take one choice for each item


@dataclass(frozen=True)
class TaskFile:
    """What task.yaml says that matters here.

    `metric` is the first of its metric_list: the score of an item. `may_draw`: it says where
    few-shot examples are from. `group`: in which part of a paper's table it stands, by
    `metadata: {group: ...}`, else by how it is answered.
    """

    name: str
    kind: Literal["multiple_choice", "generate_until"]
    metric: str
    may_draw: bool
    group: Group


def read_task(folder: Path, data: Path) -> TaskFile:
    """Read a benchmark's task.yaml, and check that it is about the file `data`.

    Raises:
        BadInput: no such folder, or lm-eval would do something else than this pipeline.
    """
    path = folder / TASK
    if not path.exists():
        known = ", ".join(sorted(each.parent.name for each in folder.parent.glob(f"*/{TASK}")))
        raise BadInput(f"{folder}: no benchmark here ({TASK}); there are: {known or 'none'}")
    values = _parse(path)
    kind = values.get("output_type", _TEXT)
    metrics = [each.get("metric") for each in values.get("metric_list") or [{}]]
    examples = values.get("fewshot_config") or {}
    task = TaskFile(
        name=folder.name,
        kind=kind,
        metric=str(metrics[0]).rpartition(".")[2],  # of `!function file.name` the name
        may_draw=bool(values.get("fewshot_split") or {"split", "samples"} & examples.keys()),
        group=(values.get("metadata") or {}).get("group", "qa" if kind != _TEXT else "generation"),
    )
    if problem := _problem(task, values, data):
        raise BadInput(f"{path}: {problem}")
    return task


def _problem(task: TaskFile, values: dict[str, Any], data: Path) -> str:
    files = (values.get("dataset_kwargs") or {}).get("data_files")
    if values.get("task") != task.name:
        return f"task: '{values.get('task')}' must be the name of its folder, {task.name}"
    if values.get("dataset_path") != "json" or files != {"test": str(data)}:
        return (
            f"must read the file of this project: dataset_path: json, and dataset_kwargs: "
            f"{{data_files: {{test: {data}}}}}"
        )
    if task.kind not in ("multiple_choice", _TEXT):
        return f"output_type: '{task.kind}' is not read here; multiple_choice or generate_until is"
    if task.group not in get_args(Group):
        return f"metadata: group: '{task.group}' is none of {', '.join(get_args(Group))}"
    if not values.get("metric_list"):
        return "metric_list is missing; its first metric is the score of an item"
    if task.kind == "multiple_choice" and task.metric not in BY_CHOICE:
        return f"metric_list: the first metric must be one of {', '.join(BY_CHOICE)}"
    return ""


def _parse(path: Path) -> dict[str, Any]:
    from ruamel.yaml import YAML
    from ruamel.yaml.constructor import SafeConstructor
    from ruamel.yaml.error import YAMLError

    class Names(SafeConstructor):
        """Takes lm-eval's `!function file.name` for the text behind it; nothing is run."""

    Names.add_constructor("!function", lambda _, node: node.value)
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = Names
    try:
        values = yaml.load(read_text(path))
    except YAMLError as error:
        raise BadInput(f"{path}: not valid YAML: {error}") from None
    if not isinstance(values, dict):
        raise BadInput(f"{path}: expected 'key: value' lines")
    return values
