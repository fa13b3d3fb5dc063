"""New instructions from seed tasks: few-shot sampling of seeds, the generation loop, and parsing of
the teacher's replies.
"""

from alpacare.core.public import exports

__getattr__, __all__ = exports(
    __name__,
    few_shot_sampler="FewShotSampler",
    generation_loop="GenerationLoop",
    reply_parser="ParsedTask parse_reply",
    settings="InstructionsSettings",
)
