"""From verdicts to figures: win rates, intervals, comparisons, agreement."""
