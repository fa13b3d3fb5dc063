"""Thoughts of reasoning models are in no answer, and are counted."""

from pathlib import Path

import pytest
from conftest import REPOSITORY, run
from loopback import Running
from staging import OUTS, write_inputs

from alpacare.core.files import read_json
from alpacare.core.jsonl import read_objects
from alpacare.generation.answering import read_answer
from alpacare.records.thoughts import remove_thoughts
from alpacare.stages.responses import main

ANSWER = "Use a reliever inhaler."
LEFT_BY_SERVERS = [
    f"<think>The user asks about asthma.</think>\n\n{ANSWER}",
    f"The user asks about asthma.\n</think>\n\n{ANSWER}",
    f"<think>Is <think> a tag? </think> closes it.\n</think>{ANSWER}",
    f"<Thinking>\nAsthma.\n</Thinking>\n{ANSWER}",
    f"<seed:think>Asthma.</seed:think>{ANSWER}",
    f"[THINK]Asthma.[/THINK]{ANSWER}",
    f"\u25c1think\u25b7Asthma.\u25c1/think\u25b7{ANSWER}",
    f"<|START_THINKING|>Asthma.<|END_THINKING|>{ANSWER}",
    f"<|channel|>analysis<|message|>Asthma.<|end|><|start|>assistant<|channel|>final<|message|>{ANSWER}",
    f"analysisThe user asks about asthma.assistantfinal{ANSWER}",
    f"{ANSWER}\n<think>Is that all? Yes.</think>",
    f"{ANSWER}\n<think>Is that",
]
CUT_OFF = ["<think>The user asks", "analysisThe user asks", "[THINK]Asthma, or COPD?"]
WITHOUT = [
    ANSWER,
    " I think > 2 puffs.\n",
    "R1 writes `<think>` first, then `</think>`.",
    "Analysis of the ECG",
    "AnalysisThe patient has asthma.",
    "analysis first",
]


def test_thoughts_are_taken_off_and_nothing_else() -> None:
    assert {remove_thoughts(text) for text in LEFT_BY_SERVERS} == {ANSWER}
    assert {remove_thoughts(text) for text in CUT_OFF} == {""}
    assert [remove_thoughts(text) for text in WITHOUT] == WITHOUT
    assert remove_thoughts("One. <think>Hm.</think>Two.") == "One. Two."


def test_no_thought_and_no_filtered_or_refused_answer_becomes_a_training_answer(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Inline, with the opening tag lost, cut off, and in a field of the server's own."""
    monkeypatch.setenv("BUDGET", "1")
    texts = [LEFT_BY_SERVERS[0], LEFT_BY_SERVERS[1], CUT_OFF[0], ANSWER]
    server.configure(replies=[[f"number {n}", text] for n, text in enumerate(texts)])
    kept, reasons, usage = _answer(server, 4)
    assert ([row["output"] for row in kept], reasons) == ([ANSWER] * 3, ["empty"])
    assert usage["with_thoughts"] == 3
    beside = {"content": [{"type": "text", "text": ANSWER}], "reasoning_content": "Asthma."}
    server.configure(replies=[], message=beside)
    kept, _, usage = _answer(server, 6)
    assert ([row["output"] for row in kept[3:]], usage["with_thoughts"]) == ([ANSWER] * 2, 5)
    server.configure(message={}, finish_reason="content_filter")
    kept, reasons, _ = _answer(server, 7)
    assert (len(kept), reasons) == (5, ["empty", "content_filter"])
    server.configure(message={"content": ANSWER, "refusal": "I can't."}, finish_reason="stop")
    kept, reasons, _ = _answer(server, 8)
    assert (len(kept), reasons) == (5, ["empty", "content_filter", "refused"])


def _answer(server: Running, count: int) -> tuple[list[dict[str, str]], list[str], dict[str, int]]:
    out, dropped, usage = OUTS
    write_inputs(count, {"base_url": server.url, "api_key": None})
    prompt = REPOSITORY / "prompts/responses"
    done = run(main, "tasks.jsonl", out, "--dropped", dropped, "--usage", usage, "--prompt", prompt)
    assert done.exit_code == 0, done.output
    assert "came with thoughts, which are left out" in done.output
    kept = [row for _, row in read_objects(Path(out))]
    return kept, [row["reason"] for _, row in read_objects(Path(dropped))], read_json(Path(usage))


@pytest.mark.parametrize("special", [True, False])
def test_thoughts_go_before_the_special_tokens_that_may_be_their_tags(special: bool) -> None:
    from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = {word: n for n, word in enumerate(["?", "Asthma", "Use", "it"])}
    inner = Tokenizer(models.WordLevel(words, unk_token="?"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner)
    tags = [AddedToken(tag, special=special) for tag in ("[THINK]", "[/THINK]", "<extra>")]
    tokenizer.add_tokens(tags, special_tokens=special)
    ids = tokenizer.encode("[THINK]Asthma[/THINK]Use it<extra>")
    rest = "" if special else " <extra>"
    assert read_answer(tokenizer, ids) == (f"Use it{rest}", True)
    ids = tokenizer.encode("Use<extra>it")
    assert read_answer(tokenizer, ids) == (tokenizer.decode(ids, skip_special_tokens=True), False)
