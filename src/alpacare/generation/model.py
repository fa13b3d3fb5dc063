"""A model that answers: a folder or a Hub id at a commit; safetensors only, no code of its own."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alpacare.compute.workers import first_line
from alpacare.core.errors import BadInput

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True)
class Source:
    """Where a model's files are; a folder has no revision."""

    name: str
    revision: str | None = None


def load_tokenizer(source: Source) -> "PreTrainedTokenizerBase":
    """Load a model's tokenizer.

    Raises:
        BadInput: it has none, or it cannot be read.
    """
    from transformers import AutoTokenizer

    folder = Path(source.name)
    if folder.is_dir() and not any(folder.glob("tokenizer*")):
        raise BadInput(f"{folder}: no tokenizer here; run `dvc repro checkpoint` or `dvc pull`")
    try:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            source.name, revision=source.revision
        )
    except Exception as error:  # each loader below it has errors of its own
        raise _unreadable(source, "tokenizer", error) from error
    return tokenizer


def read_context(source: Source) -> int | None:
    """Give the most tokens a model reads and writes, prompt and answer together; None: no limit."""
    from transformers import AutoConfig

    try:
        config = AutoConfig.from_pretrained(source.name, revision=source.revision)
    except Exception as error:
        raise _unreadable(source, "configuration", error) from error
    context: int | None = getattr(config.get_text_config(), "max_position_embeddings", None)
    return context


def load_model(source: Source, dtype: str, device: str, attention: str) -> "PreTrainedModel":
    """Load a model for answering.

    Its own wishes for decoding (a temperature, a penalty) go: params.yaml says how to decode.

    Raises:
        BadInput: the weights cannot be read, or are no safetensors.
    """
    import torch
    from transformers import AutoModelForCausalLM, GenerationConfig

    try:
        model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
            source.name,
            revision=source.revision,
            dtype=getattr(torch, dtype),
            use_safetensors=True,
            attn_implementation=attention,
        )
    except Exception as error:
        raise _unreadable(source, "model", error) from error
    ends = model.generation_config.eos_token_id if model.generation_config else None
    model.generation_config = GenerationConfig(eos_token_id=ends)  # type: ignore[no-untyped-call]
    moved: Any = model.to(device)  # type: ignore[arg-type]
    model = moved.eval()
    return model


def end_tokens(model: "PreTrainedModel") -> list[int]:
    """Give the tokens that end an answer by the model's own word; chat models may have several."""
    config = model.generation_config
    ends = config.eos_token_id if config else None
    return [ends] if isinstance(ends, int) else list(ends or [])


def pad_token(tokenizer: "PreTrainedTokenizerBase") -> int:
    """Give the token that fills a batch; it is masked, so any will do."""
    token = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else 0
    return int(token)


def _unreadable(source: Source, part: str, error: Exception) -> BadInput:
    advice = "`dvc checkout` it" if Path(source.name).is_dir() else "check name and revision"
    return BadInput(f"{source.name}: its {part} cannot be read ({first_line(error)}); {advice}")
