"""A quote's bounds on ledgers drawn at random: never passed, and at most thrice what is paid."""

import json
import random
from pathlib import Path

import pytest
from generated_ledgers import Teacher, link_what_git_holds, write_params
from quoting import quoted

from alpacare.datasets.seed_choice import take_seeds
from alpacare.datasets.seed_files import read_seeds
from alpacare.pipeline.quoting.plan import make_plans
from alpacare.pipeline.quoting.usage_estimates import ENOUGH


@pytest.fixture(autouse=True)
def project(workspace: Path) -> None:
    link_what_git_holds("dvc.yaml", "prompts", "configs", "data", "students")


TAKEN = 24


def edit_seeds(count: int) -> None:
    """Change the wording of some of the seeds that are drawn."""
    path = Path("data/seeds/medical.jsonl")
    drawn = {seed.instruction for seed in take_seeds(read_seeds(path), TAKEN, 0)}
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    path.unlink()  # a link
    for row in [row for row in rows if row["instruction"] in drawn][:count]:
        row["instruction"] += " Be brief."
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.mark.parametrize("target", [None, 200])
@pytest.mark.parametrize("edit", ["seeds", "more"])
@pytest.mark.parametrize("number", [1])
def test_a_bound_holds_and_is_near(number: int, edit: str, target: int | None) -> None:
    draw = random.Random(f"{number} {edit} {target}")
    teacher = Teacher(draw)
    settings = {"target_kept": target, "max_requests": 600, "round_requests": draw.randint(20, 60)}
    requests = draw.randint(70, 90)
    write_params(seeds={"take": TAKEN}, instructions={**settings, "requests": requests})
    first = quoted()
    assert first.likely is None, "nothing is known, so nothing is likely"
    assert teacher.answer_all() <= first.most
    if edit == "seeds":
        edit_seeds(draw.randint(1, 3))
    else:
        more = {"target_kept": target and target + 100, "requests": requests + 40}
        write_params(seeds={"take": TAKEN}, instructions={**settings, **more})
    known = [len(plan.answers) for plan in make_plans() if plan.to_ask]
    again = quoted()
    paid = teacher.answer_all()
    assert paid <= again.most <= 3 * paid + 0.01  # printed in cents, rounded up
    assert (again.likely is None) == (min(known) < ENOUGH)
    if again.likely is not None:
        assert again.likely == pytest.approx(paid, rel=0.25, abs=0.01)  # printed in cents
