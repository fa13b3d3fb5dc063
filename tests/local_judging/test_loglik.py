"""A judge that scores labels says what the model would, whatever else it is asked."""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from answerers import make_checkpoint, make_tests

from alpacare.core.errors import BadInput
from alpacare.core.settings import check
from alpacare.local_judging import loglik
from alpacare.local_judging.judges import LoglikJudge
from alpacare.local_judging.likelihood import score_batch
from alpacare.local_judging.loglik import encode_labels, plan_scoring, score_prompts

SETTINGS: dict[str, Any] = {
    "kind": "loglik", "revision": None, "prompt": "plain", "first": "ab", "second": "ba",
    "tie": "cc", "cache_tokens": 4096, "dtype": "float32", "threads": 1,
}  # fmt: skip
PROMPTS = [test.instruction for test in make_tests(64, most=80)]
LABELS = [[40], [41, 42], [43, 44, 45], [43, 46, 47, 48], [49, 50, 51, 52, 53]]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_checkpoint(tmp_path_factory.mktemp("plain") / "model")


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_checkpoint(tmp_path_factory.mktemp("chat") / "model", chat=True)


def judge(folder: Path, **changes: Any) -> LoglikJudge:
    """The judge as its settings.yaml is read."""
    return check({**SETTINGS, "model": str(folder), **changes}, LoglikJudge, "settings.yaml: ")


def read_alone(model: Any, prompt: Sequence[int], label: Sequence[int]) -> float:
    """A label's score by the definition: prompt and label read as one text."""
    with torch.inference_mode():
        chances = model(torch.tensor([[*prompt, *label]])).logits[0].double().log_softmax(-1)
    return sum(float(chances[len(prompt) + n - 1, token]) for n, token in enumerate(label))


def scores(raw: str) -> list[float]:
    return [float(part.rsplit(" ", 1)[1]) for part in raw.split(", ")]


@contextmanager
def counted() -> Iterator[list[int]]:
    """Note the rows of every forward pass of a whole model."""
    rows: list[int] = []

    def note(module: torch.nn.Module, _: Any, output: Any) -> None:
        if isinstance(module, transformers.LlamaForCausalLM):
            rows.append(len(output.logits))

    hook = torch.nn.modules.module.register_module_forward_hook(note)
    yield rows
    hook.remove()


@pytest.mark.parametrize("form", ["plain", "chat"])
@pytest.mark.parametrize(
    "labels",
    [("ab", "ba", "cc"), ("Output (a)", "Output (b)", "Tie"), ("a", "b", None)],
    ids=["short", "alpacare", "no ties"],
)
def test_scores_are_those_of_each_label_read_after_each_prompt(
    form: str, labels: Any, request: pytest.FixtureRequest
) -> None:
    folder = request.getfixturevalue(form)
    first, second, tie = labels
    settings = judge(folder, prompt=form, first=first, second=second, tie=tie)
    scored, _ = score_prompts(settings, PROMPTS)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    model = transformers.AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, trust_remote_code=False
    )
    texts = [f"<s><user>{p}<answer>" if form == "chat" else f"<s>{p}" for p in PROMPTS]
    written = [label for label in labels if label]
    for text, got in zip(texts, scored, strict=True):
        ids = tokenizer.encode(text)
        alone = [read_alone(model, ids, tokenizer.encode(label)) for label in written]
        assert scores(got.raw) == pytest.approx(alone, abs=2e-4)
        assert got.slot == ("first", "second", "tie")[alone.index(max(alone))]
        assert [part.rsplit(" ", 1)[0] for part in got.raw.split(", ")] == written
    assert tie == "Tie" or len({got.slot for got in scored}) > 1, "one opinion shows little"


def test_a_prompt_gets_the_same_score_beside_any_others(plain: Path) -> None:
    together, _ = score_prompts(judge(plain), PROMPTS)
    turned, _ = score_prompts(judge(plain, cache_tokens=1), PROMPTS[::-1])
    alone = [score_prompts(judge(plain), [prompt])[0][0] for prompt in PROMPTS]
    assert len({got.raw for got in together}) == len(PROMPTS)
    assert together == alone
    assert together == turned[::-1]


HEADS = {"num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 64}


@pytest.mark.parametrize(
    ("kind", "sizes"),
    [
        ("Llama", HEADS),
        ("Mistral", {**HEADS, "sliding_window": 24}),
        ("Gemma2", {**HEADS, "head_dim": 16, "sliding_window": 24}),
        ("GPTNeoX", {"num_attention_heads": 4, "intermediate_size": 64}),
        ("GPT2", {"n_head": 4}),
        ("Bloom", {"n_head": 4}),  # takes no positions
    ],
)
def test_models_of_other_kinds_score_in_a_batch_as_label_by_label(kind: str, sizes: Any) -> None:
    torch.manual_seed(0)
    ends = {"bos_token_id": 1, "eos_token_id": 2}
    config = getattr(transformers, f"{kind}Config")(
        vocab_size=300, hidden_size=32, num_hidden_layers=3, **ends, **sizes
    )
    model = transformers.AutoModelForCausalLM.from_config(config, trust_remote_code=False).eval()
    with torch.no_grad():
        for weights in model.parameters():
            if weights.ndim == 2:
                weights *= 4
    draw = torch.Generator().manual_seed(1)
    prompts = [
        tuple(torch.randint(30, 300, (length,), generator=draw).tolist())
        for length in [1, 2, 3, 11, 23, 24, 25, 26, 40, 90]
    ]
    got = score_batch(model, prompts, LABELS, 0)
    alone = [[read_alone(model, prompt, label) for label in LABELS] for prompt in prompts]
    torch.testing.assert_close(torch.tensor(got), torch.tensor(alone), rtol=0, atol=1e-4)
    spread = torch.tensor(alone)[:, 0].std()
    assert spread > 0.05, "scores that do not depend on the prompt show little"


def test_equal_prompts_are_read_once_and_keep_their_places(plain: Path) -> None:
    prompts = [PROMPTS[0], PROMPTS[1], PROMPTS[0], PROMPTS[2], PROMPTS[1], PROMPTS[0]]
    with counted() as rows:
        scored, run = score_prompts(judge(plain), prompts)
    # the second tokens of three labels share a pass
    assert rows == [1, 3] * 3
    assert scored[0] == scored[2] == scored[5] != scored[1] == scored[4]
    assert (run["prompts"], run["different"], run["too_long"]) == (6, 3, 0)


def test_labels_of_one_token_need_no_second_pass(plain: Path) -> None:
    with counted() as rows:
        score_prompts(judge(plain, first="a", second="b", tie="c"), PROMPTS[:3])
    assert rows == [1] * 3


def test_a_prompt_too_long_for_the_model_gets_no_verdict(plain: Path) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(plain, trust_remote_code=False)
    (one,) = tokenizer.encode("b")
    # 512 tokens: a start, a label of 2, and what is asked
    prompts = ["b" * 509, "b" * 510, "b" * 2000]
    assert tokenizer.encode(prompts[1]) == [one] * 510
    scored, run = score_prompts(judge(plain), prompts)
    assert scored[0].slot is not None
    assert [got.slot for got in scored[1:]] == [None, None]
    assert scored[2].raw == (
        "the prompt has 2,001 tokens and the model's context is 512, less 2 for a label"
    )
    assert (run["different"], run["too_long"]) == (1, 2)


def test_none_fits_and_none_asked(plain: Path) -> None:
    scored, run = score_prompts(judge(plain), ["b" * 2000])
    assert (scored[0].slot, run["too_long"], run["tokens"]) == (None, 1, 0)
    assert score_prompts(judge(plain), [])[0] == []


def change(folder: Path, value: float) -> Path:
    """Set all weights of a model."""
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, trust_remote_code=False)
    with torch.no_grad():
        for weights in model.parameters():
            weights.fill_(value)
    model.save_pretrained(folder)
    return folder


def test_equal_scores_are_a_tie_or_no_verdict_and_never_the_first_slot(tmp_path: Path) -> None:
    blank = change(make_checkpoint(tmp_path / "blank"), 0.0)  # every token is as likely
    ((got,), _) = score_prompts(judge(blank, first="a", second="b", tie="Tie!"), ["who?"])
    first, second, tie = scores(got.raw)
    assert first == second > tie
    assert got.slot == "tie"
    ((got,), _) = score_prompts(judge(blank, first="a", second="b", tie=None), ["who?"])
    assert (got.slot, scores(got.raw)) == (None, [first, first])


def test_the_run_says_how_scores_came_about(plain: Path) -> None:
    _, run = score_prompts(judge(plain), PROMPTS[:2])
    assert (run["engine"], run["model"], run["revision"]) == ("loglik", plain.name, None)
    assert (run["dtype"], run["threads"], run["exact"]) == ("float32", 1, True)
    assert run["tokens_per_second"] is None  # no times where the bytes are to be the same
    assert run["versions"]["device"] == "cpu"
    assert json.loads(json.dumps(run)) == run
    short, _ = score_prompts(judge(plain, dtype="bfloat16"), PROMPTS)
    exact, _ = score_prompts(judge(plain), PROMPTS)
    assert short != exact


def test_batches_hold_no_more_than_they_may(plain: Path) -> None:
    prompts = [(7,) * length for length in (900, 300, 299, 120, 120, 80, 3, 1)]
    batches = plan_scoring(judge(plain, cache_tokens=1000), [[1, 2], [3, 4, 5], [6]], prompts)
    assert [place for batch in batches for place in batch] == list(range(len(prompts)))
    # two labels go beyond their first token, and each has a copy of the prompt
    assert [len(batch) for batch in batches] == [1, 1, 1, 4, 1]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"tie": "ab"}, "first, second, tie: two labels are the same; write different ones"),
        ({"first": " ba"}, "first, second, tie: two labels are the same; write different ones"),
        ({"second": " "}, "first, second, tie: a label is blank; write it, or null for no ties"),
        ({"model": "none/here"}, "'none/here' is no local folder, so it is a Hub model, and needs"),
        ({"cache_tokens": 0}, "settings.yaml: cache_tokens: input should be greater than 0"),
        ({"samples": 2}, "settings.yaml: samples: unknown key"),
    ],
)
def test_settings_that_cannot_be(plain: Path, changes: dict[str, Any], line: str) -> None:
    with pytest.raises(BadInput) as refused:
        judge(plain, **changes)
    assert line in str(refused.value)


@pytest.mark.parametrize("labels", [("Output", "Output (b)"), ("Output (b)", "Output")])
def test_a_label_that_begins_another_is_refused(plain: Path, labels: tuple[str, str]) -> None:
    with pytest.raises(BadInput, match=r"label 'Output' is the beginning of label 'Output \(b\)'"):
        score_prompts(judge(plain, first=labels[0], second=labels[1]), PROMPTS)


def test_beginnings_of_texts_that_are_none_of_tokens_are_labels(plain: Path) -> None:
    """Letters may begin another label if tokens do not."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(plain, trust_remote_code=False)
    labels = encode_labels(judge(plain, first="d", second="do", tie=None), tokenizer)
    assert [len(label) for label in labels] == [1, 1]


def test_a_model_without_chat_template_is_refused(plain: Path) -> None:
    with pytest.raises(BadInput) as refused:
        score_prompts(judge(plain, prompt="chat"), PROMPTS)
    assert str(refused.value) == (
        f"{plain}: prompt: chat: this model's tokenizer has no chat template; use plain"
    )


def test_a_folder_without_tokenizer_or_weights_is_refused(tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path / "model")
    for file in folder.glob("tokenizer*"):
        file.unlink()
    with pytest.raises(BadInput, match=r"model: no tokenizer in this folder"):
        score_prompts(judge(folder), PROMPTS)
    (folder / "model.safetensors").unlink()
    with pytest.raises(BadInput, match=r"model: no .safetensors in this folder"):
        score_prompts(judge(folder), PROMPTS)


def test_a_model_with_a_state_is_refused(plain: Path, tmp_path: Path) -> None:
    transformers.AutoTokenizer.from_pretrained(plain, trust_remote_code=False).save_pretrained(
        tmp_path
    )
    config = transformers.FalconH1Config(
        vocab_size=300, hidden_size=32, num_hidden_layers=2, **HEADS
    )
    transformers.AutoModelForCausalLM.from_config(config, trust_remote_code=False).save_pretrained(
        tmp_path
    )
    with pytest.raises(BadInput, match="a falcon_h1 model has layers with a state"):
        score_prompts(judge(tmp_path), PROMPTS)


def test_scores_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    broken = change(make_checkpoint(tmp_path / "broken"), float("nan"))
    with pytest.raises(BadInput, match="its scores are no numbers; its weights are damaged"):
        score_prompts(judge(broken), PROMPTS)


def test_a_call_that_comes_again_loads_no_model(plain: Path, tmp_path: Path) -> None:
    first = score_prompts(judge(plain), PROMPTS[:4], tmp_path)
    with counted() as rows:
        assert score_prompts(judge(plain), PROMPTS[:4], tmp_path) == first
        assert score_prompts(judge(plain), PROMPTS[:4][::-1], tmp_path)[0] == first[0][::-1]
    assert rows == []
    assert score_prompts(judge(plain), PROMPTS[:4]) == first


@pytest.mark.parametrize("change", [{"first": "ab "}, {"dtype": "bfloat16"}, {"threads": 2}])
def test_scores_of_another_judge_are_not_read(
    change: dict[str, Any], plain: Path, tmp_path: Path
) -> None:
    score_prompts(judge(plain), PROMPTS[:2], tmp_path)
    with counted() as rows:
        changed = score_prompts(judge(plain, **change), PROMPTS[:2], tmp_path)
    assert rows
    assert changed == score_prompts(judge(plain, **change), PROMPTS[:2])


def test_scores_of_other_weights_or_prompts_are_not_read(tmp_path: Path) -> None:
    folder, scratch = make_checkpoint(tmp_path / "model"), tmp_path / "scratch"
    before, _ = score_prompts(judge(folder), PROMPTS[:2], scratch)
    shutil.rmtree(folder)
    make_checkpoint(folder, seed=2)
    after, _ = score_prompts(judge(folder), PROMPTS[:2], scratch)
    assert after != before
    assert after == score_prompts(judge(folder), PROMPTS[:2])[0]
    more, _ = score_prompts(judge(folder), PROMPTS[:3], scratch)
    assert more[:2] == after


def test_a_call_that_was_stopped_goes_on(
    plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    score, calls = loglik.score_batch, []

    def stop_at_the_third(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return score(*arguments)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(loglik, "score_batch", stop_at_the_third)
        score_prompts(judge(plain), PROMPTS[:5], tmp_path)
    with counted() as rows:
        resumed = score_prompts(judge(plain), PROMPTS[:5], tmp_path)
    assert rows == [1, 3] * 3, "two of five were done"
    assert resumed == score_prompts(judge(plain), PROMPTS[:5])
