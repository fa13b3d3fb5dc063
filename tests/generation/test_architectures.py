"""Models of other kinds too answer in a batch as they do alone, while rows leave it."""

from typing import Any

import pytest
import torch
import transformers
from answerers import make_tests

from alpacare.generation.batched import answer_batch
from alpacare.generation.settings import Decoding, GenerationsSettings

SMALL = {"vocab_size": 300, "hidden_size": 32, "num_hidden_layers": 3}
HEADS = {"num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 64}
SETTINGS = GenerationsSettings(
    engines=["batched"], servers=[], workers=1, max_new_tokens=48, temperature=0.0, top_p=1.0,
    seed=0, cache_tokens=1, step_tokens=1,
    dtype="float32", threads=1,
)  # fmt: skip
ENDS = [7, 11, 17, 23]


@pytest.mark.parametrize(
    ("kind", "sizes"),
    [
        ("Llama", {**SMALL, **HEADS}),
        ("Mistral", {**SMALL, **HEADS, "sliding_window": 24}),
        ("Gemma2", {**SMALL, **HEADS, "head_dim": 16, "sliding_window": 24}),
        ("GPTNeoX", {**SMALL, "num_attention_heads": 4, "intermediate_size": 64}),
        ("Mamba", {**SMALL, "state_size": 4}),
    ],
)
def test_rows_that_leave_change_no_other(kind: str, sizes: dict[str, Any]) -> None:
    torch.manual_seed(0)
    config = getattr(transformers, f"{kind}Config")(**sizes, bos_token_id=1, eos_token_id=2)
    model = transformers.AutoModelForCausalLM.from_config(config, trust_remote_code=False).eval()
    with torch.no_grad():
        for weights in model.parameters():
            if weights.ndim == 2:
                weights *= 6
    model.generation_config = transformers.GenerationConfig()
    draw = torch.Generator().manual_seed(1)
    prompts = [
        torch.randint(30, 300, (3 + len(test.instruction) % 40,), generator=draw).tolist()
        for test in make_tests(8)
    ]
    decoding = Decoding(SETTINGS, ENDS, 0)
    together = answer_batch(model, prompts, [0] * len(prompts), decoding)
    alone = [answer_batch(model, [prompt], [0], decoding)[0] for prompt in prompts]
    plain = [
        model.generate(
            torch.tensor([prompt]), max_new_tokens=48, do_sample=False, eos_token_id=ENDS,
            pad_token_id=0,
        )[0, len(prompt) :].tolist()
        for prompt in prompts
    ]  # fmt: skip

    def cut(ids: list[int]) -> list[int]:
        return ids[: next((n for n, token in enumerate(ids) if token in ENDS), len(ids))]

    lengths = {len(cut(ids)) for ids in plain}
    assert min(lengths) < 32 < max(lengths), "some must leave early, and some stay"
    assert [cut(ids) for ids in alone] == [cut(ids) for ids in plain]
    assert [cut(ids) for ids in together] == [cut(ids) for ids in plain]
