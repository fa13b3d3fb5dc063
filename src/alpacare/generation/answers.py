"""A test set answered by a local model, as generation records."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from alpacare.errors import BadInput
from alpacare.generation.batched import Answered, answer_all, encode_prompts
from alpacare.progress import track
from alpacare.records.generation import Generation
from alpacare.records.task import TestTask
from alpacare.settings import Settings
from alpacare.text.student_prompt import StudentPrompt

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


class GenerationsSettings(Settings):
    """Section `generations` of params.yaml: one set of rules for the student and its yardstick."""

    max_new_tokens: int = Field(gt=0)
    batch_size: int = Field(gt=0)
    dtype: Literal["float32", "bfloat16"]
    threads: int = Field(gt=0)


def load_tokenizer(checkpoint: Path) -> "PreTrainedTokenizerBase":
    """Load a checkpoint's tokenizer, from this machine only."""
    from transformers import AutoTokenizer

    if not (checkpoint / "tokenizer_config.json").exists():
        raise BadInput(f"{checkpoint}: no tokenizer here; run `dvc repro checkpoint` or `dvc pull`")
    return AutoTokenizer.from_pretrained(checkpoint, local_files_only=True)


def load_model(checkpoint: Path) -> "PreTrainedModel":
    """Load a checkpoint's weights (safetensors only), from this machine only.

    Raises:
        BadInput: the weights or the configuration cannot be read.
    """
    from transformers import AutoModelForCausalLM

    try:
        return AutoModelForCausalLM.from_pretrained(
            checkpoint, use_safetensors=True, local_files_only=True, attn_implementation="sdpa"
        )
    except Exception as error:  # each loader below it has errors of its own
        raise BadInput(f"{checkpoint}: cannot be loaded ({error}); `dvc checkout` it") from error


def answer_tests(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    prompt: StudentPrompt,
    tests: Sequence[TestTask],
    settings: GenerationsSettings,
    generator: str,
) -> list[Generation]:
    """Let a model answer every test task; the records come in the order of the tests.

    Raises:
        BadInput: a prompt and its answer do not fit the model's context.
    """
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    model.to(device, getattr(torch, settings.dtype)).eval()  # type: ignore[arg-type]
    prompts = encode_prompts(tokenizer, [prompt.fill(t.instruction, t.input) for t in tests])
    room = model.config.max_position_embeddings - settings.max_new_tokens
    for test, ids in zip(tests, prompts, strict=True):
        if len(ids) > room:
            raise BadInput(
                f"test task {test.id}: its prompt has {len(ids)} tokens, and the model's context "
                f"less generations.max_new_tokens leaves {room}"
            )
    with track(f"{generator} answers", len(tests), "tasks") as advance:
        answers = answer_all(
            model,
            tokenizer,
            prompts,
            settings.max_new_tokens,
            settings.batch_size,
            lambda done: advance(done, ""),
        )
    return [_record(test, answer, generator) for test, answer in zip(tests, answers, strict=True)]


def _record(test: TestTask, answer: Answered, generator: str) -> Generation:
    return Generation(
        id=test.id,
        instruction=test.instruction,
        input=test.input,
        output=answer.text,
        generator=generator,
        finish_reason=answer.finish_reason,
    )
