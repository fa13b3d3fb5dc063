"""`alpacare review`: from two files of answers to a key for the team and a page for reviewers."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from alpacare.core.errors import BadInput
from alpacare.core.files import atomic_file, write_json
from alpacare.core.texts import counted
from alpacare.display.text import wrapped
from alpacare.pipeline import paths
from alpacare.pipeline.params import Params, Run
from alpacare.records.pairs import Pairs, pair_answers
from alpacare.records.review import Name
from alpacare.records.test_set import read_test_set
from alpacare.review.key import Key, key_path, make_key
from alpacare.review.label_studio import labeling_interface, make_tasks
from alpacare.review.page import make_review_page
from alpacare.review.sample import choose_tasks


@dataclass(frozen=True)
class Wish:
    """How many items to draw, but those that are read; `width`: what for, in points."""

    n: int
    read: Collection[str] = ()
    width: float | None = None


def draw_review(
    params: Params, test: str, run: Run, reference: str, wish: Wish, seed: int
) -> tuple[Key, Pairs]:
    """Choose the items and draw their sides; the key is written, or read if there is one.

    Raises:
        BadInput: a pair that params.yaml does not compare, missing answers, or n is too large.
    """
    check_pair(params, test, run, reference)
    generations = existing(paths.generations(test, run))
    answers = existing(paths.answers(test, reference, run.seed))
    tests = read_test_set(existing(paths.test_set(test)))
    pairs = {ours.id: (ours, theirs) for ours, theirs in pair_answers(generations, answers)}
    left = [task for task in tests if task.id in pairs.keys() - set(wish.read)]
    try:
        ids = choose_tasks(left, wish.n, seed)
    except BadInput as error:
        raise BadInput(f"--n {wish.n}: {error}") from error
    chosen = [pairs[id] for id in ids]
    return make_key(test, run, reference, seed, chosen, wish.width), chosen


def check_pair(params: Params, test: str, run: Run, reference: str) -> None:
    """Check that params.yaml compares a student with this reference on this test set."""
    known = params.judgments.references_of_student(run.student)
    if reference == run.student:
        others = ", ".join(known)
        raise BadInput(f"'{reference}' is the student itself; name who it meets: {others}")
    for name, names, key in ((test, params.tests, "tests"), (reference, known, "references")):
        if name not in names:
            raise BadInput(f"'{name}' is not one of the {key} of params.yaml: {', '.join(names)}")


def find_run(params: Params, student: str | None, seed: int | None) -> Run:
    """Give the run of a student; without a name the first student, without a seed the first.

    Raises:
        BadInput: params.yaml has no such student or seed.
    """
    run = Run(
        params.students[0] if student is None else student,
        params.training_seeds[0] if seed is None else seed,
    )
    if run.student not in params.students:
        known = ", ".join(params.students)
        raise BadInput(f"'{run.student}' is not one of the students of params.yaml: {known}")
    if run.seed not in params.training_seeds:
        known = ", ".join(map(str, params.training_seeds))
        raise BadInput(f"{run.seed} is not one of the training_seeds of params.yaml: {known}")
    return run


def write_page(path: Path, key: Key, pairs: Pairs, reviewer: str) -> None:
    """Write the page for a reviewer, with the name filled in if it is given.

    Raises:
        BadInput: a name with invisible characters.
    """
    try:
        TypeAdapter(Name | None).validate_python(reviewer or None)
    except ValidationError as error:
        raise BadInput(f"--reviewer {reviewer!r}: a name must be visible text") from error
    with atomic_file(path) as file:
        file.write(make_review_page(key, pairs, reviewer))


def write_tasks(path: Path, key: Key, pairs: Pairs) -> Path:
    """Write Label Studio's tasks, and its labeling interface as .xml; give the latter's path."""
    config = path.with_suffix(".xml")
    write_json(path, make_tasks(key, pairs))
    with atomic_file(config) as file:
        file.write(labeling_interface())
    return config


def existing(path: Path) -> Path:
    """Give the path of a file that stages write.

    Raises:
        BadInput: no such file.
    """
    if not path.exists():
        raise BadInput(f"{path}: not there yet; run `dvc repro`, or `alpacare pull` if others have")
    return path


def describe_files(key: Key, page: Path, tasks: Path | None, config: Path | None) -> str:
    """Give a line for each file that was written, with what to do with it."""
    lines = [f"{page}: {counted(len(key.items), 'item')}; send it to the reviewers"]
    if tasks:
        lines.append(f"{tasks}: the same for Label Studio; its labeling interface: {config}")
    secret = "whose answer is A; commit it, and give it to no reviewer"
    lines.append(f"{key_path(key.sample)}: {secret}")
    return "\n".join(wrapped(line, "  ") for line in lines)
