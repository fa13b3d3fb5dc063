"""Stage `categories`: a model sorts instructions into BioInstruct's four groups.

Who sorts is a folder: prompts/categories/NAME/ with settings.yaml (whom to ask, and how),
system.txt and user.txt.
"""

import re
from pathlib import Path
from typing import get_args

import click

from alpacare.core import jsonl
from alpacare.core.command import FILE, Stage, check_files
from alpacare.core.files import write_json
from alpacare.core.texts import counted
from alpacare.llm.client import ask
from alpacare.llm.task_requests import make_folder_requests
from alpacare.llm.usage import count_usage
from alpacare.records.category import Category, Group
from alpacare.records.task import AnyTask

GROUPS: tuple[Group, ...] = get_args(Group)
_LABEL = re.compile(r"^(?:category|group)\W+", re.IGNORECASE)


@click.command(cls=Stage)
@click.argument("prompt", type=FILE)
@click.argument("tasks", type=FILE)
@click.argument("out", type=FILE)
@click.option("--run", type=FILE, required=True, help="How the answers came about, as JSON.")
def main(prompt: Path, tasks: Path, out: Path, run: Path) -> None:
    """Ask the model that the folder PROMPT names to sort the instructions in TASKS and write OUT.

    \b
    Example:
      python -m alpacare.stages.categories prompts/categories/gpt-4o data/responses.jsonl \\
          data/categories/gpt-4o.jsonl --run data/categories/gpt-4o.json
    """
    check_files([tasks], [out, run])
    asked = jsonl.read(tasks, AnyTask, unique="id")
    answers = ask(make_folder_requests(prompt, asked))
    rows = [
        Category(id=task.id, category=read_group(a.text), raw=a.text.strip(), request=a.key)
        for task, a in zip(asked, answers, strict=True)
    ]
    jsonl.write(out, rows)
    write_json(run, count_usage(answers))
    lost = sum(row.category is None for row in rows)
    click.echo(
        f"{counted(len(rows), 'instruction')} sorted by '{prompt.name}', "
        f"{counted(lost, 'reply', 'replies')} not readable"
    )


def read_group(reply: str) -> Group | None:
    """Read a reply that names one group; in doubt None.

    "other" is a word of many sentences: it counts only if it is all that is said.
    """
    said = _LABEL.sub("", " ".join(reply.split()).casefold()).strip(" .*\"'`")
    if said in GROUPS:
        return said
    named: list[Group] = [group for group in GROUPS[:-1] if group in said]
    return named[0] if len(named) == 1 else None


if __name__ == "__main__":
    main()
