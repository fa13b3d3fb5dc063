"""What a training run needs, in bytes and FLOPs, before any weight is loaded.

For a LLaMA as transformers computes it with sdpa, trained by AdamW with weights kept in float32.
Similar architectures (Mistral, Qwen) come close; mixtures of experts do not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Literal, Self

from alpacare.core.errors import BadInput
from alpacare.training.settings import OptimizerName

DType = Literal["float32", "bfloat16"]

# FLOPs a second in dense bfloat16, from NVIDIA's data sheets (SXM boards; PCIe boards do less)
PEAK_FLOPS = {"A100": 312e12, "H100": 989e12, "H200": 989e12}
_FLOAT = 4  # bytes
_BYTES: dict[DType, int] = {"float32": 4, "bfloat16": 2}
# Half a byte a weight, a byte for a block of 64, and a float32 for 256 blocks (NF4 with double
# quantisation: QLoRA, Dettmers et al. 2023, arXiv 2305.14314, section 3)
_FOUR_BITS = 0.5 + (1 + _FLOAT / 256) / 64
# Two bytes a weight, and two float32 scales a block of 256 (Dettmers et al. 2022, arXiv 2110.02861)
_EIGHT_BIT_STATES = 2 * (1 + _FLOAT / 256)


@dataclass(frozen=True)
class ModelShape:
    """The sizes of a LLaMA; `tied`: the output matrix is the embedding."""

    hidden_size: int
    layers: int
    heads: int
    kv_heads: int
    head_size: int
    intermediate_size: int
    vocab_size: int
    tied: bool

    @classmethod
    def from_config(cls, config: Any) -> Self:
        """Read the sizes from a transformers configuration; BadInput when it lacks one."""
        try:
            hidden, heads = config.hidden_size, config.num_attention_heads
            return cls(
                hidden_size=hidden,
                layers=config.num_hidden_layers,
                heads=heads,
                kv_heads=getattr(config, "num_key_value_heads", None) or heads,
                head_size=getattr(config, "head_dim", None) or hidden // heads,
                intermediate_size=getattr(config, "intermediate_size", None) or 4 * hidden,
                vocab_size=config.vocab_size,
                tied=bool(getattr(config, "tie_word_embeddings", False)),
            )
        except AttributeError as error:
            raise BadInput(f"the model's config.json has no '{error.name}'") from error

    @property
    def linear_layers(self) -> dict[str, tuple[int, int]]:
        """The linear layers of one block by transformers' names: (inputs, outputs)."""
        query, key = self.heads * self.head_size, self.kv_heads * self.head_size
        return {
            "q_proj": (self.hidden_size, query),
            "k_proj": (self.hidden_size, key),
            "v_proj": (self.hidden_size, key),
            "o_proj": (query, self.hidden_size),
            "gate_proj": (self.hidden_size, self.intermediate_size),
            "up_proj": (self.hidden_size, self.intermediate_size),
            "down_proj": (self.intermediate_size, self.hidden_size),
        }

    @property
    def layer_weights(self) -> int:
        """Weights of the linear layers of one block."""
        return sum(inputs * outputs for inputs, outputs in self.linear_layers.values())

    @property
    def embedding_weights(self) -> int:
        """Weights of the embedding; the output matrix has as many."""
        return self.vocab_size * self.hidden_size


# The same for LLaMA 1 and LLaMA 2 (Touvron et al. 2023, arXiv 2302.13971 and 2307.09288)
LLAMA_7B = ModelShape(4096, 32, 32, 32, 128, 11008, 32000, tied=False)
LLAMA_13B = ModelShape(5120, 40, 40, 40, 128, 13824, 32000, tied=False)


def count_parameters(shape: ModelShape) -> int:
    """Count the weights: exact for a LLaMA, without the biases that some other models have."""
    norms = (2 * shape.layers + 1) * shape.hidden_size
    embeddings = shape.embedding_weights * (1 if shape.tied else 2)
    return shape.layers * shape.layer_weights + norms + embeddings


def count_adapter_parameters(shape: ModelShape, rank: int, targets: str | Sequence[str]) -> int:
    """Count the weights of LoRA adapters: rank x (inputs + outputs) a layer (Hu et al. 2021)."""
    return shape.layers * rank * sum(sum(sizes) for sizes in _targets(shape, targets))


def _targets(shape: ModelShape, targets: str | Sequence[str]) -> list[tuple[int, int]]:
    if targets == "all-linear":
        return list(shape.linear_layers.values())
    try:
        return [shape.linear_layers[name] for name in targets]
    except KeyError as error:
        known = ", ".join(shape.linear_layers)
        raise BadInput(f"lora.targets: no {error} in the student; known: {known}") from error


@dataclass(frozen=True)
class MemoryEstimate:
    """Bytes of one device when it holds most, and of the disk.

    A step needs most when its backward pass begins (all activations, copies) or ends (gradients).
    """

    weights: int
    optimizer: int
    gradients: int
    weight_copies: int  # in bfloat16, or gathered from other devices
    activations: int
    layer_activations: int  # of one layer
    accumulating: bool
    checkpoint: int  # on disk: one to continue from
    final_model: int  # on disk: the weights

    @property
    def total(self) -> int:
        """Bytes on one device, without what CUDA itself takes (about 1 GB)."""
        begin = self.weight_copies + self.activations + self.gradients * self.accumulating
        end = self.gradients + self.layer_activations
        return self.weights + self.optimizer + max(begin, end)

    @property
    def disk(self) -> int:
        """Bytes for two checkpoints (the old one goes when the new one is complete), the model."""
        return 2 * self.checkpoint + self.final_model


def estimate_memory(
    shape: ModelShape,
    *,
    micro_batch_size: int,
    seq_length: int,
    dtype: DType,
    lora_rank: int | None = None,
    lora_targets: str | Sequence[str] = "all-linear",
    quantize: bool = False,
    gradient_checkpointing: bool = False,
    accumulating: bool = False,
    optimizer: OptimizerName = "adamw",
    liger: bool = False,
    processes: int = 1,
    sharded: bool = False,
) -> MemoryEstimate:
    """Estimate what training takes; a micro batch is what a device computes at once.

    `accumulating`: a step takes several micro batches. `sharded`: FSDP2 over `processes` devices
    that reduces gradients after every one; else each process holds everything (DDP).
    Raises BadInput for a target of LoRA that the model lacks.
    """
    width, shards = _BYTES[dtype], processes if sharded else 1
    total = count_parameters(shape)
    trained = count_adapter_parameters(shape, lora_rank, lora_targets) if lora_rank else total
    merged = width * total if lora_rank else _FLOAT * total
    linear = shape.layers * shape.layer_weights if quantize else 0
    frozen = round(_FOUR_BITS * linear) + width * (total - linear) if lora_rank else 0
    # autocast copies weights and leaves float32 between the layers; FSDP2 casts everything
    mixed = dtype == "bfloat16" and not lora_rank and not sharded
    # Trainer leaves the 8-bit optimizer's states of embeddings in float32
    embeddings = 0 if lora_rank else shape.embedding_weights
    small = trained - embeddings if optimizer == "adamw_8bit" else 0
    states = round(_EIGHT_BIT_STATES * small) + 2 * _FLOAT * (trained - small)
    adapters = 0  # an adapter keeps its input, a byte of dropout for each, and `rank` numbers
    for size, _ in _targets(shape, lora_targets) if lora_rank else []:
        adapters += (width + 1) * size + width * (lora_rank or 0)
    tokens = micro_batch_size * seq_length
    layer = tokens * _layer_bytes(shape, seq_length, width, mixed, adapters)
    # last norm; log-probabilities, their gradient, that of the logits (Liger: chunks of them)
    head = tokens * 3 * _FLOAT * (shape.hidden_size + (0 if liger else shape.vocab_size))
    activations = shape.layers * layer + head
    if gradient_checkpointing:  # each layer keeps its input; the rest of one comes after the head
        inputs = shape.layers * tokens * shape.hidden_size * (_FLOAT if mixed else width)
        activations = inputs + max(layer, head)
    return MemoryEstimate(
        weights=(frozen + _FLOAT * trained) // shards,
        optimizer=states // shards,
        # DDP sends gradients through buffers of the same size
        gradients=_FLOAT * trained // shards * (2 if processes > 1 and not sharded else 1),
        weight_copies=_copy_bytes(shape, width, mixed, sharded, quantize),
        activations=activations,
        layer_activations=layer,
        accumulating=accumulating,
        checkpoint=_FLOAT * trained + states,
        final_model=merged,
    )


def _copy_bytes(shape: ModelShape, width: int, mixed: bool, sharded: bool, quantize: bool) -> int:
    """Bytes of the copies of weights: what autocast casts, or what FSDP2 gathers at one time.

    Of a base in 4 bits: one layer's largest map.
    """
    if quantize:
        return width * max(map(prod, shape.linear_layers.values()))
    if sharded:  # a layer, the next one, the gradients of one, both embeddings
        return width * (3 * shape.layer_weights + 2 * shape.embedding_weights)
    return width * (shape.layers * shape.layer_weights + shape.embedding_weights) if mixed else 0


def _layer_bytes(shape: ModelShape, seq_length: int, width: int, mixed: bool, adapters: int) -> int:
    """Bytes a token that one layer keeps for its backward pass.

    As Korthikanti et al. 2022 (arXiv 2205.05198, section 4.1) count them for GPT, but the tensors
    that transformers' LLaMA saves: RMSNorm works in float32, sdpa keeps query, key, value (repeated
    for grouped heads) and output, no heads x length^2, but one mask of a packed sequence. Frozen
    layers keep no input, adapters `adapters` bytes.
    """
    hidden = shape.hidden_size
    shared = 4 * width * shape.heads * shape.head_size + width * seq_length
    shared += _FLOAT * (shape.heads + 2)
    if adapters:
        return 2 * _FLOAT * hidden + shared + 3 * width * shape.intermediate_size + adapters
    norms = 2 * (_FLOAT + (_FLOAT if mixed else width)) * hidden
    # autocast gives each of five layers a copy of its input; else those after a norm share one
    inputs = (5 if mixed else 2) * width * hidden
    return norms + inputs + shared + 4 * width * shape.intermediate_size


def flops_per_token(shape: ModelShape, context: float, adapter: int = 0) -> float:
    """FLOPs to train on one token of a sample of `context` tokens.

    6 a weight that multiplies, 2 each forward, back to activations, back to weights (Kaplan et al.
    2020, arXiv 2001.08361, section 2.1); 4 a frozen one under a LoRA `adapter` of so many weights.
    Attention: 12 x layers x width x context (Chowdhery et al. 2022, arXiv 2204.02311, appendix B),
    half of it, as tokens see only those before them. Recomputation does not count.
    """
    matrices = shape.layers * shape.layer_weights + shape.embedding_weights
    weights = 4 * matrices + 6 * adapter if adapter else 6 * matrices
    return weights + 6 * shape.layers * shape.heads * shape.head_size * context
