"""From answers to a win rate: judges, verdicts, statistics."""
