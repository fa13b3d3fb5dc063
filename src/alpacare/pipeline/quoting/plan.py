"""What the paid stages would ask today, computed in memory from seeds and ledger.

All requests that do not depend on answers yet to come are made and looked up; of the others the
number is estimated.
"""

from alpacare.core.errors import BadInput
from alpacare.llm.ledger import Ledger, default_path
from alpacare.pipeline.dvc_yaml import dependencies
from alpacare.pipeline.params import read_params
from alpacare.pipeline.quoting.known_answers import KnownAnswers
from alpacare.pipeline.quoting.plan_evaluation import plan_evaluation
from alpacare.pipeline.quoting.plan_teaching import plan_teaching
from alpacare.pipeline.quoting.stage_plan import Plan

PAID = (
    *("instructions", "responses", "verified", "categories", "model_generations"),
    *("judgments", "label_judgments"),
)


def make_plans() -> list[Plan]:
    """Plan every paid stage, in pipeline order.

    Raises:
        BadInput: settings, prompts, seeds or packs are wrong.
    """
    params = read_params()
    stages = ("instructions", "responses")
    packs = [pack for stage in stages for pack in dependencies(stage, "data/recordings/")]
    with Ledger(default_path()) as ledger:
        known = KnownAnswers(ledger, packs)
        teaching = plan_teaching(params, known)
        return [*teaching.plans, *plan_evaluation(params, known, teaching)]


def used_keys(stage: str | None) -> set[str]:
    """Give the ledger keys that today's pipeline uses, of one paid stage or of all.

    A reply that was cut off and asked for again is used too.

    Raises:
        BadInput: there is no such stage.
    """
    if stage not in (None, *PAID):
        raise BadInput(f"no paid stage '{stage}'; there are {', '.join(PAID)}")
    keys: set[str] = set()
    for plan in make_plans():
        if stage in (None, plan.stage):
            if plan.stage == "judgments" and plan.coming.most:
                raise BadInput(
                    "answers that are judged are missing here or will change, so which judgments "
                    "are used cannot be told; run `dvc checkout`, `dvc repro` or `alpacare pull`"
                )
            keys |= {request.key() for request in plan.asked}
            keys |= {answer.key for answer in plan.answers}
    return keys
