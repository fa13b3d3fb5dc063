"""Where a row, a count or a file came from, told from what the stages left."""
