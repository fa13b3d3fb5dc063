"""How an answer is made of a model's logits, and where it ends: the same for every local engine."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from alpacare.generation.settings import GenerationsSettings

if TYPE_CHECKING:
    from transformers import GenerationConfig


@dataclass(frozen=True)
class Decoding:
    """Settings, the tokens that end an answer, and the one that fills a batch."""

    settings: GenerationsSettings
    ends: list[int]
    pad: int

    def config(self, most: int) -> "GenerationConfig":
        """Write down all that transformers would else choose; `most`: new tokens."""
        from transformers import GenerationConfig

        return GenerationConfig(  # type: ignore[no-untyped-call]
            max_new_tokens=most,
            do_sample=False,  # a sampler of ours leaves one token to choose
            pad_token_id=self.pad,
            eos_token_id=self.ends or None,
            return_dict_in_generate=True,
        )
