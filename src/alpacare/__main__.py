"""`python -m alpacare` is the `alpacare` command."""

from alpacare.cli.main import main

main(prog_name="alpacare")
