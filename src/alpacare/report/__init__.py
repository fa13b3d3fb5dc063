"""The page that people look at: gathered from metrics and data, drawn, and written as one file."""
