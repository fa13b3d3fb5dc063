"""A benchmark's folder: task.yaml in lm-eval's own format, read here without lm-eval."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field

from alpacare.core.errors import BadInput
from alpacare.core.files import read_text
from alpacare.core.settings import Settings, check
from alpacare.core.texts import counted

Group = Literal["qa", "extraction", "generation", "general"]
TASK = "task.yaml"
Kind = Literal["multiple_choice", "generate_until"]
BY_CHOICE = ("acc", "acc_norm", "acc_bytes")  # metrics that take one choice for each item


@dataclass(frozen=True)
class TaskFile:
    """What task.yaml says that matters here.

    `metric` is the first of its metric_list: the score of an item. `num_fewshot`: solved examples
    before each item; `may_draw`: it says where they are from. `group`: in which part of a paper's
    table it stands, by `metadata: {group: ...}`, else by how it is answered.
    """

    name: str
    kind: Kind
    metric: str
    num_fewshot: int
    may_draw: bool
    group: Group

    def check_examples(self, folder: Path, few_shot: int | None, items: int) -> None:
        """Check the examples before each of `items`; `few_shot` None: as task.yaml says.

        Raises:
            BadInput: lm-eval might show an item its own answer, or there are too few items.
        """
        count = self.num_fewshot if few_shot is None else few_shot
        told = f"{folder}/{TASK}: num_fewshot" if few_shot is None else "lm_eval.few_shot"
        if count and not self.may_draw:
            raise BadInput(
                f"{folder}/{TASK}: has no fewshot_split, so lm-eval might show an item its own "
                "answer; add `fewshot_split: test`, with which it never does, or set "
                "lm_eval.few_shot: 0"
            )
        if count >= items:
            raise BadInput(f"{told}: {counted(count, 'example')} of {counted(items, 'item')}")


class _Section(Settings):
    """A part of task.yaml; what is not named here is lm-eval's business."""

    model_config = ConfigDict(extra="ignore")


class _Metric(_Section):
    metric: str


class _Metadata(_Section):
    group: Group | None = None


class _Examples(_Section):
    split: str | None = None
    samples: Any = None


class _Data(_Section):
    data_files: Any = None


class _Task(_Section):
    task: Any = None
    dataset_path: Any = None
    dataset_kwargs: _Data | None = None
    test_split: str | None = None
    output_type: Kind = "generate_until"
    metric_list: list[_Metric] = Field(default=[])
    num_fewshot: int | None = None
    fewshot_split: str | None = None
    fewshot_config: _Examples | None = None
    metadata: _Metadata | None = None


def read_task(folder: Path, data: Path) -> TaskFile:
    """Read a benchmark's task.yaml, and check that it is about the file `data`.

    Raises:
        BadInput: no such folder, or lm-eval would do something else than this pipeline.
    """
    path = folder / TASK
    if not path.exists():
        known = ", ".join(sorted(each.parent.name for each in folder.parent.glob(f"*/{TASK}")))
        raise BadInput(f"{folder}: no benchmark here ({TASK}); there are: {known or 'none'}")
    values = check(_parse(path), _Task, f"{path}: ")
    examples = values.fewshot_config or _Examples()
    metadata = values.metadata or _Metadata()
    by_default: Group = "qa" if values.output_type == "multiple_choice" else "generation"
    metrics = [each.metric for each in values.metric_list] or [""]
    task = TaskFile(
        name=folder.name,
        kind=values.output_type,
        metric=metrics[0].rpartition(".")[2],  # of `!function file.name` the name
        num_fewshot=values.num_fewshot or 0,
        may_draw=bool(values.fewshot_split or examples.split or examples.samples),
        group=metadata.group or by_default,
    )
    if problem := _problem(task, values, data):
        raise BadInput(f"{path}: {problem}")
    return task


def _problem(task: TaskFile, values: _Task, data: Path) -> str:
    files = values.dataset_kwargs and values.dataset_kwargs.data_files
    if values.task != task.name:
        return f"task: '{values.task}' must be the name of its folder, {task.name}"
    if values.dataset_path != "json" or files != {"test": str(data)}:
        return (
            f"must read the file of this project: dataset_path: json, and dataset_kwargs: "
            f"{{data_files: {{test: {data}}}}}"
        )
    if values.test_split != "test":  # else lm-eval does not see that examples are from it, too
        return "must say `test_split: test`"
    if not task.metric:
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
