"""Text: prompts, parsing of replies, ROUGE-L."""
