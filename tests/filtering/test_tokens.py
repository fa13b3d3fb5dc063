"""Tokenizers: rouge_score's own, and one for every script."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.tokenize import tokenize

from alpacare.filtering.tokens import Tokenizer, TokenNumbers, auto, latin, mostly_unseen, unicode

ascii_text = st.text(st.characters(max_codepoint=127))


@given(st.text())
def test_latin_is_rouge_scores_default(text: str) -> None:
    assert latin(text) == tokenize(text, None)


@given(ascii_text)
def test_on_ascii_the_tokenizers_agree(text: str) -> None:
    assert unicode(text) == latin(text)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Was hilft bei Übelkeit?", ["was", "hilft", "bei", "übelkeit"]),
        ("caf\u00e9 CAFE\u0301", ["caf\u00e9", "caf\u00e9"]),
        ("糖尿病とは HbA1c", ["糖尿", "尿病", "病と", "とは", "hba1c"]),
        ("第2型糖", ["第", "2", "型糖"]),
        ("मधुमेह क्या है?", ["मधुमेह", "क्या", "है"]),
        ("당뇨병이란 무엇", ["당뇨병이란", "무엇"]),
        ("ما هو السكري؟", ["ما", "هو", "السكري"]),
        ("ＨＢＡ１Ｃ ５％", ["hba1c", "5"]),  # noqa: RUF001
        ("снижает_ли-аспирин", ["снижает", "ли", "аспирин"]),
    ],
)
def test_unicode_reads_every_script(text: str, tokens: list[str]) -> None:
    assert unicode(text) == tokens


@pytest.mark.parametrize(
    ("text", "tokenizer"),
    [
        ("Explain Ménière's disease.", latin),
        ("How do α-blockers differ?", latin),  # noqa: RUF001
        ("COVID: 糖尿病", unicode),
        ("Что такое диабет?", unicode),
    ],
)
def test_auto_takes_what_a_text_needs(text: str, tokenizer: Tokenizer) -> None:
    assert auto(text) == tokenizer(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What is the cause of Ménière's disease?", False),
        ("COVID: 糖尿病", False),  # five letters of eight are seen
        ("什么是糖尿病的主要病因 HbA1c", True),
        ("Что такое диабет?", True),
        ("120/80", False),
        ("", False),
    ],
)
def test_texts_mostly_unseen_by_latin(text: str, expected: bool) -> None:
    assert mostly_unseen(text) == expected


@given(st.lists(ascii_text), st.lists(ascii_text))
def test_equal_tokens_have_equal_numbers_over_all_calls(first: list[str], more: list[str]) -> None:
    encoder, tokens, numbers = TokenNumbers(), [], []
    for texts in (first, more):
        tokens += [token for text in texts for token in latin(text)]
        flat, lengths = encoder.encode(texts)
        assert lengths.tolist() == [len(latin(text)) for text in texts]
        numbers += flat.tolist()
    assert len(set(zip(tokens, numbers, strict=True))) == len(set(tokens)) == len(set(numbers))
