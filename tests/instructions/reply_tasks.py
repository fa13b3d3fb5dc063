"""Tasks for tests of the parser: texts that look like a reply's own marks."""

import re
from typing import Any, get_args

from hypothesis import strategies as st

from alpacare.core.texts import shows_nothing
from alpacare.records.label_normalisation import normalise_input
from alpacare.records.task import TaskType

LABELS = ("type", "topic", "view", "difficulty", "instruction", "input")
Task = dict[str, Any]

# Excluded, as a parser cannot distinguish them from a reply's own marks:
# - a line that begins with a label and a colon, "Type: MRI" (two tests below put some in);
# - a line that is the heading of a task, "Task 3" or "### Task 3", or numbered like one, "## 3.";
# - a line of nothing but ---, ``` or the like, unless they enclose code;
# - a text that is wholly enclosed in quotes or emphasis, or is a placeholder such as "None";
# - an input that begins with a line "<noinput>";
# - a text of invisible characters only, which is read as none;
# - a last paragraph that mentions "these tasks";
# - white space at either end.
MARK = re.compile(
    rf"[\W_]*(?:task\s*\d+\W*)?(?:\d+\W+)?(?:(?:{'|'.join(LABELS)})[*_]*\s*[:\uff1a]|task\b)"
    rf"|[\W\d]*(?:{'|'.join(LABELS)})[\W_]*$|\s*#+\W*(?:example\s*)?\d|\W*example\s*\d"
    r"|\s*([-*_=#`~])\s*(?:\1\s*)+[\w-]*\s*$",
    re.IGNORECASE,
)
ENCLOSED = re.compile(r"(['\"*`\u201c]).*['\"*`\u201d]", re.DOTALL)
NO_INPUT_LINE = re.compile(r"\W*no[\W_]*input\W*$", re.IGNORECASE | re.MULTILINE)

TRICKY = [
    "Use the Input: to answer.",
    "Viewpoints on vaccines",
    "What type: of care?",
    "hemoglobin 13.5 g/dL",
    "in 2013.",
    "13.",
    "2.",
    "A. aspirin",
    "E. none",
    "1. rest",
    "2) ice",
    "## Findings",
    "### Impression",
    "| Na | 140 |",
    "\tK  4.1\u00a0mmol/L",
    '"quoted" words',
    "{type: chat}",
    '{"type": "chat", "topic": "x"}',
    "**bold** and *thin*",
    "",
    "```\ncode\n```",
]
word = st.sampled_from([w for name in LABELS for w in (f"{name}:", f"{name.title()}:", name)])
wild = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=20)
line = st.sampled_from(TRICKY) | wild | st.lists(word | wild, max_size=5).map("x ".join)


def plain(text: str) -> bool:
    """Whether a text can be distinguished from the marks of a reply, as listed above."""
    bare = re.sub(r"```\ncode\n```", "", text)
    return (
        not any(MARK.match(line) for line in bare.split("\n"))
        and not ENCLOSED.fullmatch(text)
        and not NO_INPUT_LINE.match(text)
        and normalise_input(text) == text
        and not (text and shows_nothing(text))
    )


def lines(smallest: int, largest: int) -> st.SearchStrategy[str]:
    texts = st.lists(line, min_size=smallest, max_size=largest).map("\n".join).map(str.strip)
    return texts.filter(plain)


def ended(text: str) -> str:
    return text + ("\nWhy?" if text.endswith("```") else ".")


short = wild.map(str.strip).filter(bool).filter(plain)
tasks = st.lists(
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(get_args(TaskType)),
            "topic": short,
            "view": short,
            "difficulty": st.integers(1, 5),
            "instruction": lines(1, 3).filter(bool).map(ended),
            "input": lines(0, 6),
        }
    ),
    min_size=1,
    max_size=6,
)
