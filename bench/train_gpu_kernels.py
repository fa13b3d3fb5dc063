"""The kernels that bench/train_gpu.py tries beside today's: both ship with torch.

Attention of packed samples by `torch.nn.attention.varlen.varlen_attn`: no mask, and no pair of
tokens of two samples. The loss by `torch.nn.functional.linear_cross_entropy`, which multiplies by
the output matrix in parts: all logits are never there at once.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from typing import Any

import torch
from torch.nn.functional import linear_cross_entropy, pad, scaled_dot_product_attention

from alpacare.training import trainer
from alpacare.training.data import collate_padded
from alpacare.training.packing import IGNORE_INDEX, PackedSequence

NAME = "varlen"


def varlen(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, starts: torch.Tensor, longest: int,
           scale: float | None) -> torch.Tensor:  # fmt: skip
    """Causal attention inside each sample; states [tokens, heads, size].

    `starts`, int32: where each begins, then the number of tokens. On a CPU, which torch's kernel
    does not know, one sample after the other.
    """
    if q.device.type != "cpu":
        from torch.nn.attention.varlen import varlen_attn

        causal: Any = {
            "window_size": (-1, 0),
            "scale": scale,
            "enable_gqa": q.shape[1] != k.shape[1],
        }
        return varlen_attn(q, k, v, starts, starts, longest, longest, **causal)  # type: ignore[return-value]
    states = [tensor.transpose(0, 1) for tensor in (q, k, v)]
    parts = [
        scaled_dot_product_attention(
            *(state[:, start:end] for state in states), is_causal=True, scale=scale, enable_gqa=True
        )
        for start, end in pairwise(starts.tolist())
        if end > start
    ]
    return torch.cat(parts, 1).transpose(0, 1)


def attend(
    module: Any, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, mask: None, *,
    cu_seq_lens_q: torch.Tensor, max_length_q: int, scaling: float | None = None, **_: Any,
) -> tuple[torch.Tensor, None]:  # fmt: skip
    """What transformers calls; states [1, heads, tokens, size]."""
    states = [tensor[0].transpose(0, 1) for tensor in (q, k, v)]
    if q.device.type == "cuda":  # rotary embeddings leave float32, which the kernel does not take
        states = [state.to(torch.bfloat16) for state in states]
    return varlen(*states, cu_seq_lens_q, max_length_q, scaling)[None], None


def make_model(config: Any, dtype: torch.dtype) -> Any:
    """A LLaMA with both kernels; `dtype`: that of the loss's products."""
    from torch.nn import LinearCrossEntropyOptions
    from transformers import AttentionInterface, AttentionMaskInterface, LlamaForCausalLM
    from transformers.modeling_outputs import CausalLMOutputWithPast

    class FusedLlama(LlamaForCausalLM):
        def forward(self, labels: Any = None, num_items_in_batch: Any = None, **batch: Any) -> Any:
            """Loss as transformers' own, the sum over labels by `num_items_in_batch`; no logits."""
            if labels is None:
                return super().forward(**batch)
            hidden = self.model(**batch).last_hidden_state[0]
            targets = pad(labels[0], (0, 1), value=IGNORE_INDEX)[1:]
            loss = linear_cross_entropy(
                hidden.to(dtype), self.lm_head.weight.to(dtype), targets,
                reduction="sum", ignore_index=IGNORE_INDEX, options=LinearCrossEntropyOptions(),
            )  # fmt: skip
            count = num_items_in_batch if num_items_in_batch is not None else (targets >= 0).sum()
            return CausalLMOutputWithPast(loss=loss / count)

    AttentionInterface.register(NAME, attend)
    AttentionMaskInterface.register(NAME, lambda *_, **__: None)
    model = FusedLlama._from_config(config, dtype=torch.float32, attn_implementation=NAME)
    return model


def collate(sequences: Sequence[PackedSequence], length: int, pad_id: int) -> dict[str, Any]:
    """Sequences of one length behind each other, [1, tokens], and where their samples begin.

    All shapes are the same in each batch, so that it compiles once: what is left of `starts` names
    the end again and again, as samples of no tokens.
    """
    padded = collate_padded(sequences, length=length, pad_id=pad_id)
    batch = {name: tensor.reshape(1, -1) for name, tensor in padded.items()}
    tokens = batch["input_ids"].shape[1]
    starts = (batch["position_ids"][0] == 0).nonzero()[:, 0]
    most = len(sequences) * (length // 8) + 1
    return batch | {
        "cu_seq_lens_q": pad(starts, (0, most - len(starts)), value=tokens).to(torch.int32),
        "max_length_q": length,
    }


@contextmanager
def collate_varlen() -> Iterator[None]:
    """Have `train` collate so, whatever the settings say, and skip the test of sdpa's packing."""
    before = trainer._choose_collator, trainer.check_packing_leak
    trainer._choose_collator = lambda _, job: partial(
        collate, length=job.settings.max_seq_length, pad_id=job.pad_id
    )
    trainer.check_packing_leak = lambda _: None
    try:
        yield
    finally:
        trainer._choose_collator, trainer.check_packing_leak = before
