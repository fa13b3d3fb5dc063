"""The `alpacare` command: one file for each group of verbs, thin Click functions."""
