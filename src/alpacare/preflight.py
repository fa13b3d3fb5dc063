"""A look at every setting and input before anything runs.

DVC deletes a stage's outputs before it starts the stage's command, so a typo in params.yaml would
cost them. `make repro` looks here first.
"""

from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from alpacare.dealing import Deck
from alpacare.errors import BadInput
from alpacare.evaluation.judges import read_judge
from alpacare.filtering import FilteredSettings
from alpacare.generation.settings import GenerationsSettings
from alpacare.records.task import Seed, TestTask, row_id
from alpacare.rounds import InstructionsSettings
from alpacare.settings import Settings, check, read_yaml
from alpacare.stages.asked import make_reference_requests
from alpacare.stages.curves import CurvesSettings
from alpacare.stages.filtered import read_tests as read_test_lines
from alpacare.stages.local import read_local
from alpacare.stages.references import take
from alpacare.stages.responses import ResponsesSettings
from alpacare.stages.scores import ScoresSettings
from alpacare.stages.seeds import SeedsSettings, normalise, read_source
from alpacare.teacher.accounts import read_budget
from alpacare.teacher.endpoints import Endpoint
from alpacare.teacher.pack import read_pack
from alpacare.teacher.prices import Prices
from alpacare.testsets import read_tests
from alpacare.text.student_prompt import StudentPrompt
from alpacare.text.templates import render_chat
from alpacare.training.machine import check_machine, read_hardware
from alpacare.training.room import check_room
from alpacare.training.settings import CheckpointSettings

_EXAMPLE = TestTask(id=row_id("x", ""), instruction="x", input="")

# Names become stage names and file names: DVC takes a "/" for a path. A dot, as in gpt-3.5-turbo,
# it bears: in the cells of a matrix, in paths and in targets on the command line.
Slug = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]


def _no_twins(names: list[str]) -> list[str]:
    if len(set(names)) < len(names):
        raise ValueError(f"a name stands twice in {names}")
    return names


Names = Annotated[list[Slug], AfterValidator(_no_twins)]
Slugs = Annotated[Names, Field(min_length=1)]


class ReferencesSettings(Settings):
    """Section `references`: whose answers stand in test sets, who is asked, who runs here."""

    written: Names
    asked: Names
    local: Names

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        _no_twins([*self.written, *self.asked, *self.local, "base"])
        return self


class JudgmentsSettings(Settings):
    """Section `judgments`: the axes of its matrix."""

    references: Slugs
    judges: Slugs


class Params(Settings):
    """The whole of params.yaml."""

    tests: Slugs
    references: ReferencesSettings
    judgments: JudgmentsSettings
    endpoints: dict[str, Endpoint]
    seeds: SeedsSettings
    instructions: InstructionsSettings
    filtered: FilteredSettings
    responses: ResponsesSettings
    checkpoint: CheckpointSettings
    curves: CurvesSettings
    generations: GenerationsSettings
    scores: ScoresSettings

    @model_validator(mode="after")
    def _known_references(self) -> Self:
        known = self.references
        for name in self.judgments.references:
            if name not in {*known.written, *known.asked, *known.local, "base"}:
                raise ValueError(
                    f"judgments.references: '{name}' is neither 'base' nor in references"
                )
        return self

    @model_validator(mode="after")
    def _known_endpoints(self) -> Self:
        for stage in ("instructions", "responses", "generations"):
            name = getattr(self, stage).endpoint
            if name is not None and name not in self.endpoints:
                raise ValueError(
                    f"{stage}.endpoint: '{name}' is not in endpoints: {', '.join(self.endpoints)}"
                )
        return self

    def cells(self) -> list[tuple[str, str, str]]:
        """Every (test, reference, judge) that is judged and scored."""
        return list(product(self.tests, self.judgments.references, self.judgments.judges))


def read_params() -> Params:
    """Read and check params.yaml whole."""
    return check(read_yaml(Path("params.yaml")), Params, "params.yaml: ")


def check_all() -> str:
    """Check all that the pipeline starts from; sum up in one line.

    Raises:
        BadInput: the first thing that is wrong.
    """
    params = read_params()
    for judge in params.judgments.judges:
        read_judge(judge)
    _check_prompts()
    _check_servers(params)
    for stage in ("instructions", "responses"):
        for pack in dependencies(stage, "data/recordings/"):
            list(read_pack(pack))
    seeds = _check_seeds(params)
    tasks = _check_tests(params)
    _check_references(params)
    read_test_lines(tuple(dependencies("filtered", "data/tests")))
    _check_training(params.checkpoint)
    if params.filtered.engine == "ray" and find_spec("ray") is None:
        raise BadInput("filtered.engine: ray: Ray is not installed; run: make ray")
    return f"settings and prompts fine, {seeds} seed tasks, {tasks} test tasks"


def _check_servers(params: Params) -> None:
    """With money to spend, a missing key shows before DVC deletes the outputs of the stage."""
    Prices()
    for stage in ("instructions", "responses"):
        _check_key(params.endpoints[getattr(params, stage).endpoint])
    if params.generations.endpoint:  # free, so that it will be asked without BUDGET too
        params.endpoints[params.generations.endpoint].read_key()


def _check_key(endpoint: Endpoint) -> None:
    if read_budget() is not None and not endpoint.offline:
        endpoint.read_key()


def _check_training(settings: CheckpointSettings) -> None:
    """Look at the machine, and whether the least batch would fit: more is known with the data."""
    (template,) = dependencies("checkpoint", "configs/")
    hardware = read_hardware(
        Path(str(template).replace("${checkpoint.hardware}", settings.hardware))
    )
    check_machine(settings, hardware)
    least = (settings.micro_rows or 1, settings.row_length) if settings.packing else (1, 1)
    check_room(settings, hardware, least, False, Path("models"))


def _check_prompts() -> None:
    """Fill every prompt once; a missing file or an unknown variable shows."""
    (student,) = dependencies("checkpoint", "prompts/")
    StudentPrompt.choose("alpaca", student)
    (instructions,) = dependencies("instructions", "prompts/")
    example = dict.fromkeys(Seed.model_fields, "x")
    for format in ("text", "json_schema"):
        values = {"examples": [example], "count": 1, "types": ["x"], "format": format}
        render_chat(instructions, values)
    (responses,) = dependencies("responses", "prompts/")
    render_chat(responses, {"instruction": "x", "input": "x"})


def _check_seeds(params: Params) -> int:
    source = dependencies("seeds", "data/")[0]
    seeds = normalise(read_source(source), source)[: params.seeds.take]
    Deck(seeds, params.instructions.seed).check(params.instructions.seeds_per_request)
    return len(seeds)


def _check_tests(params: Params) -> int:
    """Read every test set; each written reference must have answered one of them."""
    paths = [dependencies("references", "data/", test=test)[0] for test in params.tests]
    sets = [read_tests(path) for path in paths]
    for name in params.references.written:
        taken = [take(tests, name, path) for tests, path in zip(sets, paths, strict=True)]
        if not any(taken):
            known = sorted({who for tests in sets for test in tests for who in test.answers})
            raise BadInput(
                f"params.yaml: references.written: '{name}' has answered none of the test sets "
                f"(there are answers by: {', '.join(known) or 'nobody'})"
            )
    return sum(map(len, sets))


def _check_references(params: Params) -> None:
    """Read who else is asked, and who runs here."""
    for name in params.references.asked:
        (prompt,) = dependencies("asked", "prompts/", reference=name)
        for request in make_reference_requests(prompt, [_EXAMPLE]):
            _check_key(request.endpoint)
    for name in params.references.local:
        read_local(dependencies("local", "prompts/references/", reference=name)[0])


def dependencies(stage: str, folder: str, **item: str) -> list[Path]:
    """Give a stage's dependencies in a folder, from dvc.yaml, for one cell of its matrix."""
    deps: list[str] = read_yaml(Path("dvc.yaml"))["stages"][stage]["deps"]
    for axis, value in item.items():
        deps = [dep.replace(f"${{item.{axis}}}", value) for dep in deps]
    found = [Path(dep) for dep in deps if dep.startswith(folder)]
    if not found:
        raise BadInput(f"dvc.yaml: stage '{stage}' has no dependency in {folder}")
    return found
