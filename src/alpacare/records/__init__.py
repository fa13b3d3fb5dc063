"""The rows that stages hand to each other, one file a kind."""
