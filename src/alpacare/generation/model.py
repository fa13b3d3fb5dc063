"""A model that answers: a folder or a Hub id at a commit; safetensors only, no code of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from alpacare.compute.determinism import make_deterministic
from alpacare.compute.pinned_model import explain_loading
from alpacare.core.errors import BadInput
from alpacare.core.progress import quiet_libraries

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True)
class ModelSource:
    """Where a model's files are; a folder has no revision."""

    name: str
    revision: str | None = None


@contextmanager
def _reading(source: ModelSource, part: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # each loader has errors of its own
        problem = f"{source.name}: its {part} cannot be read ({explain_loading(error)})"
        advice = "`dvc checkout` it" if Path(source.name).is_dir() else "check name and revision"
        raise BadInput(f"{problem}; {advice}") from error


def load_tokenizer(source: ModelSource) -> "PreTrainedTokenizerBase":
    """Load a model's tokenizer.

    Raises:
        BadInput: it has none, or it cannot be read.
    """
    from transformers import AutoTokenizer

    folder = Path(source.name)
    if folder.is_dir() and not any(folder.glob("tokenizer*")):
        raise BadInput(f"{folder}: no tokenizer here; run `dvc repro checkpoint` or `dvc pull`")
    tokenizer: PreTrainedTokenizerBase
    with _reading(source, "tokenizer"):
        tokenizer = AutoTokenizer.from_pretrained(
            source.name, revision=source.revision, trust_remote_code=False
        )
    return tokenizer


def read_context(source: ModelSource) -> int | None:
    """Give the most tokens of prompt and answer together that a model takes; None: no limit."""
    from transformers import AutoConfig

    with _reading(source, "configuration"):
        config = AutoConfig.from_pretrained(
            source.name, revision=source.revision, trust_remote_code=False
        )
    context: int | None = getattr(config.get_text_config(), "max_position_embeddings", None)
    return context


def load_model(
    source: ModelSource, dtype: str, device: str, attention: str, threads: int
) -> "PreTrainedModel":
    """Load a model for answering, and make its arithmetic deterministic.

    Its own settings for decoding (a temperature, a penalty) go: params.yaml says how to decode.

    Raises:
        BadInput: the weights cannot be read, or are no safetensors.
    """
    import torch
    from transformers import AutoModelForCausalLM, GenerationConfig

    make_deterministic(0, threads, on_cpu=device == "cpu")
    quiet_libraries()
    model: PreTrainedModel
    with _reading(source, "model"):
        model = AutoModelForCausalLM.from_pretrained(
            source.name,
            revision=source.revision,
            dtype=getattr(torch, dtype),
            use_safetensors=True,
            trust_remote_code=False,
            attn_implementation=attention,
        )
    ends = getattr(model.generation_config, "eos_token_id", None)
    model.generation_config = GenerationConfig(eos_token_id=ends)  # type: ignore[no-untyped-call]
    return model.to(device).eval()  # type: ignore[arg-type, no-any-return]


def end_tokens(model: "PreTrainedModel") -> list[int]:
    """Give the tokens that end an answer by the model's own settings; chat models have several."""
    ends = getattr(model.generation_config, "eos_token_id", None)
    return [ends] if isinstance(ends, int) else list(ends or [])


def pad_token(tokenizer: "PreTrainedTokenizerBase") -> int:
    """Give the token that fills a batch; it is masked, so any will do."""
    return int(tokenizer.pad_token_id or 0)
