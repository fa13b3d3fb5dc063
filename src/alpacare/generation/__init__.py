"""From weights to answers."""
