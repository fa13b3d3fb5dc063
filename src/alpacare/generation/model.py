"""A model that answers: a folder or a Hub id at a commit; safetensors only, no code of its own."""

from typing import TYPE_CHECKING

from alpacare.compute.determinism import make_deterministic
from alpacare.compute.libraries import import_libraries
from alpacare.compute.pretrained import (
    ModelSource,
    check_embedding,
    read_config,
    read_tokenizer,
)
from alpacare.compute.weights import check_weights, read_weights

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

# fills a batch; it is masked, so any will do, and a tokenizer's own may have no embedding
PAD_ID = 0


def load_tokenizer(source: ModelSource) -> "PreTrainedTokenizerBase":
    """Load a model's tokenizer, and check that model and tokenizer belong together.

    It reads no weight, so that an error shows before hours of other work.

    Raises:
        BadInput: one cannot be read, or they do not.
    """
    import_libraries()
    config = read_config(source)  # first: it says what is no model at all
    tokenizer = read_tokenizer(source)
    check_embedding(source, tokenizer, config)
    check_weights(source, config)
    return tokenizer


def read_context(source: ModelSource) -> int | None:
    """Give the most tokens of prompt and answer together that a model takes; None: no limit."""
    config = read_config(source).get_text_config()
    context: int | None = getattr(config, "max_position_embeddings", None)
    return context


def load_model(
    source: ModelSource, dtype: str, device: str, threads: int, attention: str | None = None
) -> "PreTrainedModel":
    """Load a model for answering, and make its arithmetic deterministic.

    Its own settings for decoding (a temperature, a penalty) go: params.yaml says how to decode.
    `attention` None: the best for its kind.

    Raises:
        BadInput: the weights cannot be read, or are not those of its configuration.
    """
    from transformers import GenerationConfig

    make_deterministic(0, threads, on_cpu=device == "cpu")
    model = read_weights(source, dtype, attention)
    ends = getattr(model.generation_config, "eos_token_id", None)
    model.generation_config = GenerationConfig(eos_token_id=ends)  # type: ignore[no-untyped-call]
    return model.to(device).eval()  # type: ignore[arg-type, no-any-return]


def end_tokens(model: "PreTrainedModel") -> list[int]:
    """Give the tokens that end an answer by the model's own settings; chat models have several."""
    ends = getattr(model.generation_config, "eos_token_id", None)
    return [ends] if isinstance(ends, int) else list(ends or [])
