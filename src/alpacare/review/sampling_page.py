"""Behind `alpacare review`: answers of two -> a key for the team, a page for the reviewers."""

from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from alpacare.core.errors import BadInput
from alpacare.core.files import atomic_file, write_json
from alpacare.pipeline.dvc_yaml import rows_path
from alpacare.pipeline.params import read_params
from alpacare.records.pairs import pair_up
from alpacare.records.review import Name
from alpacare.records.test_set import read_tests
from alpacare.review.key import Key, Pairs, make_key, path_of
from alpacare.review.label_studio import CONFIG, make_tasks
from alpacare.review.page import make_page
from alpacare.review.sample import choose


def draw_review(test: str, reference: str, n: int, seed: int) -> tuple[Key, Pairs]:
    """Choose the items and draw their sides; the key is written, or the same one taken up again.

    Raises:
        BadInput: a pair that params.yaml does not compare, answers that are not there, n too large.
    """
    _check_names(test, reference)
    generations = rows_path("judgments", "data/generations/", test=test)
    answers = rows_path("judgments", "data/references/", test=test, reference=reference)
    tests = rows_path("judgments", "data/tests/", test=test)
    for path in (generations, answers, tests):
        if not path.exists():
            raise BadInput(f"{path}: not there yet; run `dvc repro`, or `dvc pull` if others have")
    pairs = {ours.id: (ours, theirs) for ours, theirs in pair_up(generations, answers)}
    try:
        ids = choose([task for task in read_tests(tests) if task.id in pairs], n, seed)
    except BadInput as error:
        raise BadInput(f"--n {n}: {error}") from error
    chosen = [pairs[id] for id in ids]
    return make_key(test, reference, seed, chosen), chosen


def write_page(path: Path, key: Key, pairs: Pairs, reviewer: str) -> None:
    """Write the page for a reviewer, whose name may be filled in already.

    Raises:
        BadInput: a name with characters that cannot be seen.
    """
    try:
        TypeAdapter(Name | None).validate_python(reviewer or None)
    except ValidationError as error:
        raise BadInput(f"--reviewer {reviewer!r}: a name is text that can be seen") from error
    with atomic_file(path) as file:
        file.write(make_page(key, pairs, reviewer))


def write_tasks(path: Path, key: Key, pairs: Pairs) -> Path:
    """Write the sample as Label Studio's tasks, and the labeling interface beside it; name that."""
    config = path.with_suffix(".xml")
    write_json(path, make_tasks(key, pairs))
    with atomic_file(config) as file:
        file.write(CONFIG)
    return config


def _check_names(test: str, reference: str) -> None:
    params = read_params()
    known = params.judgments.references
    for name, names, key in ((test, params.tests, "tests"), (reference, known, "references")):
        if name not in names:
            raise BadInput(f"'{name}' is none of the {key} of params.yaml: {', '.join(names)}")


def tell(key: Key, page: Path, tasks: Path | None, config: Path | None) -> str:
    """Say what was written and what to do with it."""
    lines = [f"{page}: {len(key.items)} tasks; send it to the reviewers"]
    if tasks:
        lines.append(f"{tasks}: the same for Label Studio; its labeling interface: {config}")
    lines.append(f"{path_of(key.sample)}: whose answer is A; commit it, and give it to no reviewer")
    return "\n".join(lines)
