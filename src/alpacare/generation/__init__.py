"""Answers of models on this machine: engines, prompts that fit, sampling, resume."""

from alpacare.core.public import exports

__getattr__, __all__ = exports(
    __name__,
    answering="GenerationRun generate_answers max_prompt_tokens name_student",
    local_models="LocalModel find_local_model",
    model="load_model load_tokenizer",
    prompts="EncodedPrompt encode_prompts",
    settings="GenerationsSettings LocalModelSettings read_local_model",
)
