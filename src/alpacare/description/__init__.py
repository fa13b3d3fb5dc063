"""What a dataset looks like: pure functions from its rows to figures."""
