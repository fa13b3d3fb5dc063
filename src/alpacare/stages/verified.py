"""Stage `verified`: a second model checks every answer before students learn from it.

Who checks is a folder: prompts/verifiers/NAME/ with settings.yaml (whom to ask, and how),
system.txt and user.txt.
"""

from pathlib import Path

import click

from alpacare.core import jsonl
from alpacare.core.command import FILE, Stage, check_files
from alpacare.core.errors import BadInput
from alpacare.core.files import write_json
from alpacare.core.settings import load
from alpacare.core.texts import counted
from alpacare.llm.client import ask
from alpacare.llm.usage import count_usage
from alpacare.records.response import Response
from alpacare.verification.checking import VerifiedSettings, make_check_requests
from alpacare.verification.outcome import apply_checks, read_checks
from alpacare.verification.planted_errors import plant_errors


@click.command(cls=Stage)
@click.argument("verifier", type=FILE)
@click.argument("responses", type=FILE)
@click.argument("out", type=FILE)
@click.option("--dropped", type=FILE, required=True, help="Answers found wrong, with the reason.")
@click.option("--checks", type=FILE, required=True, help="What was said of each answer and copy.")
@click.option("--run", type=FILE, required=True, help="How the checks came about, as JSON.")
def main(
    verifier: Path, responses: Path, out: Path, dropped: Path, checks: Path, run: Path
) -> None:
    """Ask the model that the folder VERIFIER names whether RESPONSES are right, and write OUT.

    Copies of some of them get an error by rule, and are checked too: so its own errors are known.

    \b
    Example:
      python -m alpacare.stages.verified prompts/verifiers/gpt-4o data/responses.jsonl \\
          data/verified/gpt-4o.jsonl --dropped data/dropped/verified/gpt-4o.jsonl \\
          --checks data/checks/verified/gpt-4o.jsonl --run data/verified/gpt-4o.json
    """
    check_files([responses], [out, dropped, checks, run])
    settings = load("verified", VerifiedSettings)
    rows = jsonl.read(responses, Response, unique="id")
    planted = plant_errors(rows, settings.planted_errors, settings.seed)
    shown = [*rows, *(each.row for each in planted)]
    answers = ask(make_check_requests(verifier, shown))
    found = read_checks(rows, planted, answers)
    verified = apply_checks(rows, found, settings)
    if not verified.kept:
        raise BadInput(f"{responses}: '{verifier.name}' finds each of {len(rows)} answers wrong")
    jsonl.write(out, verified.kept)
    jsonl.write(dropped, verified.dropped)
    jsonl.write(checks, found)
    write_json(run, {"action": settings.action, **count_usage(answers)})
    wrong = sum(check.finding == "wrong" for check in found[: len(rows)])
    unread = sum(check.finding is None for check in found[: len(rows)])
    done = "dropped" if settings.action == "drop" else "marked"
    click.echo(
        f"{counted(len(rows), 'answer')} checked by '{verifier.name}', {wrong} found wrong and "
        f"{done}, {counted(unread, 'reply', 'replies')} not readable; "
        f"{counted(len(planted), 'error')} planted"
    )


if __name__ == "__main__":
    main()
