"""Benchmarks of our own, and models whose every likelihood is known by hand.

A model here has no attention: what follows a word depends on that word alone. `repeats` thinks that
a word comes again: the logit of the same word is 4 (the square root of its 16 dimensions), that of
any other word 0. `always_a` gives "A" the logit 4 after each word, and others 0. So with 12 words
the likelihood of the preferred word is 4 - log(exp(4) + 11) = -0.1837, of any other -4.1837.
"""

from math import exp, log
from pathlib import Path

from alpacare.core import jsonl
from alpacare.core.files import write_json
from alpacare.prompting.student_prompt import StudentPrompt
from alpacare.records.benchmark_item import BenchmarkItem, item_id

WORDS = ["<unk>", "<s>", "A", "B", "C", "D", "heart", "lung", "which", "is", "the", "key"]
SIZE, CONTEXT = 16, 16
PREFERRED = 4 - log(exp(4) + len(WORDS) - 1)
OTHER = PREFERRED - 4
TASK = """\
task: {name}
dataset_path: json
dataset_kwargs: {{data_files: {{test: data/benchmarks/{name}.jsonl}}}}
test_split: test
{more}
"""
LETTERS = """\
output_type: multiple_choice
doc_to_text: "{{question}}"
doc_to_choice: "{{'ABCDEF'[:choices|length]|list}}"
doc_to_target: answer
metric_list: [{metric: acc, aggregation: mean, higher_is_better: true}]"""


def item(question: str, choices: list[str], answer: int | str, **more: str) -> BenchmarkItem:
    id = item_id(question, None, choices)
    return BenchmarkItem(id=id, question=question, choices=choices, answer=answer, **more)


def write_benchmark(
    name: str, items: list[BenchmarkItem], more: str = LETTERS
) -> tuple[Path, Path]:
    """Write a benchmark's folder and its items, below the current folder."""
    folder, data = Path("benchmarks", name), Path(f"data/benchmarks/{name}.jsonl")
    folder.mkdir(parents=True)
    data.parent.mkdir(parents=True, exist_ok=True)
    (folder / "task.yaml").write_text(TASK.format(name=name, more=more))
    jsonl.write(data, items)
    return folder, data


def save_model(folder: Path, kind: str) -> Path:
    """Write a model `repeats`, `always_a`, or `broken`, whose logits are no numbers."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    config = LlamaConfig(
        vocab_size=len(WORDS), hidden_size=SIZE, intermediate_size=8, num_hidden_layers=1,
        num_attention_heads=2, max_position_embeddings=CONTEXT, tie_word_embeddings=False,
        bos_token_id=1, eos_token_id=1,
    )  # fmt: skip
    model = LlamaForCausalLM(config)
    one_hot = torch.eye(len(WORDS), SIZE)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if not name.endswith("norm.weight"):
                weight.zero_()
        model.model.embed_tokens.weight.copy_(one_hot)
        model.lm_head.weight.copy_(one_hot)
        if kind == "always_a":
            model.lm_head.weight.zero_()
            model.model.embed_tokens.weight.fill_(1.0)
            model.lm_head.weight[WORDS.index("A")] = 4 / SIZE
        if kind == "broken":
            model.lm_head.weight.fill_(torch.nan)
    model.save_pretrained(folder)
    words = Tokenizer(models.WordLevel({word: n for n, word in enumerate(WORDS)}, "<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(
        tokenizer_object=words, bos_token="<s>", eos_token="<s>", unk_token="<unk>"
    ).save_pretrained(folder)
    return folder


def save_student(folder: Path, kind: str) -> Path:
    """Write a checkpoint: a model, and the prompt that it was trained with."""
    save_model(folder, kind)
    StudentPrompt("{{ instruction }} {{ input }}", "{{ instruction }} B\n").save(folder / "prompt")
    return folder


def write_results(
    name: str, model: str, seed: int | None, chosen: str, items: list[BenchmarkItem]
) -> None:
    """Write what a stage would: "ABCA", the letters that a model took, one for each item."""
    from alpacare.pipeline import paths
    from alpacare.records.benchmark_result import BenchmarkResult

    path = paths.benchmark_results(name, model, seed)
    jsonl.write(path, [
        BenchmarkResult(
            id=each.id, answer=each.answer, choices=len(each.choices),
            chosen="ABCD".index(letter), output=None,
            score=float("ABCD"[int(each.answer)] == letter),
            likelihoods=[0.0] * len(each.choices), too_long=False, cut_off=False, subject=None,
        )
        for each, letter in zip(items, chosen, strict=True)
    ])  # fmt: skip
    write_json(path.with_suffix(".json"), {"metric": "acc"})
