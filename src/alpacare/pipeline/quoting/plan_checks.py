"""What verifiers would be asked about the answers that students learn from."""

from collections.abc import Sequence
from dataclasses import dataclass

from alpacare.llm.reply import Answer
from alpacare.pipeline.dvc_yaml import dependencies, outputs
from alpacare.pipeline.params import Params
from alpacare.pipeline.quoting.known_answers import KnownAnswers
from alpacare.pipeline.quoting.stage_plan import Coming, Plan
from alpacare.records.response import Response
from alpacare.records.task import Question
from alpacare.verification.checking import make_check_requests
from alpacare.verification.outcome import apply_checks, read_checks
from alpacare.verification.planted_errors import plant_errors


@dataclass(frozen=True)
class Checked:
    """What is asked of verifiers, and the rows that students learn from, so far as is known."""

    plans: list[Plan]
    rows: list[Response]


def plan_checks(
    params: Params,
    known: KnownAnswers,
    rows: list[Response],
    coming: Coming,
    like: Sequence[Response],
) -> Checked:
    """Plan each verifier on these rows and as many more as `coming` says, as long as `like`.

    Which rows get a planted error follows from all of them: before these are known, it is counted
    among the requests to come.
    """
    if not params.verifiers:
        return Checked([], rows)
    settings, plans, left = params.verified, [], rows
    planted = [] if coming.most else plant_errors(rows, settings.planted_errors, settings.seed)
    later = min(settings.planted_errors, len(rows) + coming.most) if coming.most else 0
    shown = [*rows, *(each.row for each in planted)]
    for name in params.verifiers:
        (prompt,) = dependencies("verified", "prompts/", verifier=name)
        asked = make_check_requests(prompt, shown)
        found = known.look_up(asked)
        after = Coming(
            coming.likely + later,
            coming.most + later,
            coming.sure,
            make_check_requests(prompt, like),
        )
        earlier = outputs("verified", "data/checks/", verifier=name)
        plan = known.plan("verified", asked, found, earlier, after, name)
        plans.append(plan)
        answers = [each for each in found if isinstance(each, Answer)]
        if name == params.sources.verifier and len(answers) == len(found) and not coming.most:
            left = apply_checks(rows, read_checks(rows, planted, answers), settings).kept
    return Checked(plans, left)


def placeholder(task: Question, tokens: int) -> Response:
    """Fill in an answer of the greatest length, one byte a token."""
    return Response(
        **task.model_dump(include={"id", "instruction", "input"}),
        output="x" * tokens,
        finish_reason="unknown",
        model="",
        request="",
    )
