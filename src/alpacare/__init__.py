"""Medical instruction tuning as one DVC pipeline."""
