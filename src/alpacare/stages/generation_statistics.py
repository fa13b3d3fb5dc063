"""Stage `generation_statistics`: how long answers are, how many cut off, empty or repetitive.

For the student and for those it is compared with: a judge that meets a reference cut off in
mid-sentence says little of the student.
"""

from pathlib import Path
from typing import Any

import click

from alpacare.core import jsonl
from alpacare.core.command import FILE, Stage, check_files
from alpacare.core.errors import BadInput
from alpacare.core.files import read_json, write_json
from alpacare.records.comparisons import BASE
from alpacare.records.generation import Generation
from alpacare.statistics.generations import describe_generations


@click.command(cls=Stage)
@click.argument("generations", type=FILE)
@click.argument("base", type=FILE)
@click.argument("references", type=FILE)
@click.argument("local_references", type=FILE)
@click.argument("out", type=FILE)
def main(
    generations: Path, base: Path, references: Path, local_references: Path, out: Path
) -> None:
    """Describe the student's GENERATIONS, those of BASE and of all references, and write OUT.

    \b
    Example:
      python -m alpacare.stages.generation_statistics data/generations/demo.jsonl \\
          data/base_generations/demo.jsonl data/references/demo data/local_references/demo \\
          metrics/generation_statistics/demo.json
    """
    check_files([generations, base], [out])
    folders = (references, local_references)
    files = {path.stem: path for folder in folders for path in sorted(folder.glob("*.jsonl"))}
    found = {name: _describe(path) for name, path in {**files, BASE: base}.items()}
    student = _describe(generations)
    write_json(out, {"student": student, "references": found})
    click.echo(
        f"{student['answers']} answers, {student['words']['mean']} words on average, "
        f"{student['unfinished']} end in mid-sentence, {student['empty']} empty; "
        f"{len(found)} references"
    )


def _describe(answers: Path) -> dict[str, Any]:
    path = answers.with_suffix(".json")
    run: Any = read_json(path)
    if not isinstance(run, dict) or "engine" not in run:
        raise BadInput(f"{path}: does not say how answers were made; is it the file beside them?")
    return describe_generations(jsonl.read(answers, Generation, unique="id"), run)


if __name__ == "__main__":
    main()
