"""Judges: a folder of settings and a prompt, and what asks, scores or compares by it."""
