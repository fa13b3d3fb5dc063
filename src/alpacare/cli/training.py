"""Training, here or as jobs of a cluster."""

import shlex

import click

from alpacare.cli.names import LAUNCHER, STUDENT
from alpacare.core.command import Stage


@click.command(cls=Stage)
@click.option(
    "--where",
    type=LAUNCHER,
    default="local",
    show_default=True,
    help="A folder of configs/launchers.",
)
@click.option("--student", type=STUDENT, help="Only this student.")
@click.option("--seed", type=int, help="Only this training seed.")
@click.option("--detach", is_flag=True, help="Submit the jobs, and do not wait for them.")
def train(where: str, student: str | None, seed: int | None, detach: bool) -> None:
    """Train what is missing, here or on a cluster.

    That is every student of params.yaml with every training seed.

    With --where slurm, what is missing is submitted as one array of jobs. Their logs are shown
    until they end, and one `dvc repro` then seals their results without training again. Ctrl-C
    leaves the jobs running; the same command finds them again.

    \b
    Examples:
      alpacare train --student half-rows --seed 1
      alpacare train --where slurm --detach
    """
    from alpacare.core.errors import BadInput
    from alpacare.launchers.launcher import read_launcher
    from alpacare.launchers.train import train_elsewhere, train_here
    from alpacare.pipeline.params import read_params
    from alpacare.pipeline.sources import chosen_runs

    launcher = read_launcher(where)
    params = read_params()
    if launcher.settings.submit is None:
        if detach:
            raise BadInput("--detach: no jobs are submitted here; leave it out, or name --where")
        train_here(params, student, seed)
    else:
        given = {"WHERE": where, "STUDENT": student, "SEED": seed}
        words = [f"{name}={value}" for name, value in given.items() if value is not None]
        runs = chosen_runs(params, student, seed)
        train_elsewhere(launcher, runs, detach, shlex.join(["make", "train", *words]))
