"""The model card: what this model is, from what really happened."""

from collections.abc import Mapping, Sequence
from typing import Any

_CARD = """---
library_name: transformers
pipeline_tag: text-generation
language: en
{base_line}tags:
  - medical
  - instruction-tuned
---

# An instruction-tuned medical language model

**Not for care.** This model was made to study instruction tuning, and that is its intended use. It
gives wrong answers with confidence, no clinician has checked it, and nothing it writes may guide
the care of anyone.

## How it was made

| | |
|---|---|
| starts from | {base} |
| trained | {how} |
| examples | {examples:,} ({held_out:,} held out, {truncated:,} cut to fit, {dropped:,} left out) |
| answers written by | {teachers} |
| training file | SHA-256 `{data}` |
| tokens | {tokens:,}, of which {response_tokens:,} count in the loss |
| epochs | {epochs} |
| a step | {rows_per_step:,} rows, about {batch_size:,} examples or {tokens_per_step:,} tokens |
| learning rate | {learning_rate}, {schedule} |
| loss | {first:.4f} at the first step, {last:.4f} at the last, in nats a response token |
{validation}
Every step stands in `history.jsonl`, every setting in `training.json`, the versions of all that
touched the weights in `versions.json`, the prompt it was trained with in `prompt/`.

## Licences

The weights follow the licence of the model they start from, and that of the training data: answers
of a vendor's model bring its terms along, and the published AlpaCare data is CC BY-NC 4.0.
"""


def model_card(training: Mapping[str, Any], history: Sequence[Mapping[str, float]]) -> str:
    """Write the card from `training.json` and the history."""
    settings = training["settings"]
    student, lora, optimizer = settings["student"], settings["lora"], settings["optimizer"]
    fresh = student["base"] == "random"
    revision = f" at `{student['revision']}`" if student["revision"] else ""
    base = "random weights" if fresh else f"`{student['base']}`{revision}"
    held = [entry["validation_loss"] for entry in history if "validation_loss" in entry]
    validation = f"| loss on held-out examples | {held[-1]:.4f} at the end |\n" if held else ""
    how = f"LoRA of rank {lora['rank']}, merged into the weights" if lora else "all weights"
    return _CARD.format(
        **{key: value for key, value in training.items() if key not in ("settings", "teachers")},
        teachers=", ".join(f"`{name}`" for name in training["teachers"]),
        validation=validation,
        base=base,
        base_line="" if fresh else f"base_model: {student['base']}\n",
        how=f"{how}, {student['dtype']} arithmetic",
        epochs=optimizer["epochs"],
        batch_size=optimizer["batch_size"],
        learning_rate=optimizer["learning_rate"],
        schedule=optimizer["schedule"],
        first=history[0]["loss"],
        last=history[-1]["loss"],
    )
