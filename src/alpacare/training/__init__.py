"""From responses to weights: tokenizer, packing, student, trainer."""
