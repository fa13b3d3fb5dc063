"""What names in params.yaml stand for: files and folders, some of which may not be there yet.

`alpacare set` warns of a name without its file, as test sets are often named before they are
fetched; `alpacare check` refuses it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from alpacare.core.texts import near_names
from alpacare.datasets.catalogue import CATALOGUE, find_published
from alpacare.pipeline import paths
from alpacare.pipeline.dvc_yaml import dependencies
from alpacare.pipeline.params import Params


class _Way(NamedTuple):
    """How such a file comes here: its kind in the catalogue, and the command for one's own."""

    kind: str
    command: str


_WAYS: Mapping[str, _Way] = {
    "tests": _Way("tests", "alpacare test-set {} FILE"),
    "benchmarks": _Way("benchmark", "alpacare benchmark {} FILE"),
    "labels": _Way("labels", "alpacare labels {} FILE"),
    "sources.instructions": _Way("", "alpacare import instructions FILE"),
    "sources.verified": _Way("responses", "alpacare import responses FILE"),
    "sources.responses": _Way("responses", "alpacare import responses FILE"),
}
_READERS = {  # of what `sources` names, where it is no stage's output
    "seeds": "seeds",
    "instructions": "filtered",
    "verified": "verified",
    "responses": "base_model",
}


def absent_files(params: Params) -> Iterator[tuple[str, str]]:
    """Give the key of each name without its file or folder, and a line that says what to do."""
    for key, name, files in _named_files(params):
        if absent := [path for path in files if not path.exists()]:
            yield key, f"{key}: {_describe_absent(key, name, absent[0])}"


def _describe_absent(key: str, name: str, path: Path) -> str:
    """Say how to get what is named and not here, and what is."""
    if path.suffix == ".jsonl":
        known = [each.stem for each in path.parent.glob("*.jsonl")]
    else:
        known = [each.name for each in path.parent.glob("*/")]
    ways = " or ".join(f"`{way}`" for way in _ways(key, name, path))
    return f"no {path}; {ways and f'run {ways}; '}{near_names(name, sorted(known))}"


def _ways(key: str, name: str, path: Path) -> Iterator[str]:
    shared = path.with_name(f"{path.name}.dvc").exists()
    if shared:
        yield "alpacare pull"
    if way := _WAYS.get(key):
        published = find_published(name) if CATALOGUE.exists() else None
        if published and published.kind == way.kind:
            yield f"make fetch DATASET={name}"
        elif not shared:
            yield way.command.format(name)


def _named_files(params: Params) -> Iterator[tuple[str, str, Sequence[Path]]]:
    """Give each name that stands for files: its key, itself, and them."""
    models, judged = params.models, params.judgments
    (api,) = dependencies("model_generations", "prompts/")
    (local,) = dependencies("local_generations", "prompts/local_models")
    found: list[tuple[str, list[str], Callable[[str], Sequence[Path]]]] = [
        ("tests", params.tests, lambda name: [paths.test_set(name)]),
        ("benchmarks", params.benchmarks, paths.benchmark),
        ("models.api", models.api, lambda name: [api / name]),
        ("models.local", models.local, lambda name: [local / name]),
        ("judgments.judges", judged.judges, lambda name: [paths.judge(name)]),
        ("judgments.local_judges", judged.local_judges, lambda name: [paths.judge(name)]),
        ("judgments.rubric_judges", judged.rubric_judges, lambda name: [paths.judge(name)]),
        ("labels", params.labels, lambda name: [paths.labels(name)]),
        ("verifiers", params.verifiers, lambda name: _prompt("verified", verifier=name)),
        ("categories", params.categories, lambda name: _prompt("categories", sorter=name)),
    ]
    for key, names, find in found:
        for name in names:
            yield key, name, find(name)
    yield from _sources(params)


def _prompt(stage: str, **item: str) -> list[Path]:
    return dependencies(stage, "prompts/", **item)


def _sources(params: Params) -> Iterator[tuple[str, str, Sequence[Path]]]:
    for key, reader in _READERS.items():
        folder, _, name = getattr(params.sources, key).partition("/")
        if folder in ("seeds", "imported") and (key != "verified" or params.verifiers):
            yield f"sources.{key}", name, dependencies(reader, f"data/{folder}/{name}.jsonl")
