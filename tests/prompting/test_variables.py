"""What a prompt may say and must show: found before anything is asked, also where it is not run."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpacare.core.errors import BadInput
from alpacare.prompting.chat_prompt import ChatPrompt
from alpacare.prompting.variables import TASK, Variables, few_shot

BOTH = "{{ instruction }}\n{{ input }}\n"
EXAMPLES = "{{ count }}{% for each in examples %}{{ each.instruction }}{% endfor %}"
RARE = "{% if input | length > 9999 %}"


def read(user: str, system: str = "You help.", variables: Variables = TASK) -> ChatPrompt:
    Path("p").mkdir(exist_ok=True)
    Path("p/user.txt").write_text(user)
    Path("p/system.txt").write_text(system)
    return ChatPrompt.read(Path("p"), variables)


@pytest.mark.parametrize(
    ("user", "message"),
    [
        ("", "p/user.txt: the file is empty; write the prompt into it"),
        ("{instruction} {input}", "line 1: single braces are plain text: {instruction}, {input};"),
        (
            f"{BOTH}\n{{ input }}",
            "line 4: single braces are plain text: {input}; write {{ input }}",
        ),
        ("Do it.\n{{ instuction }}", "line 2: unknown variable 'instuction'; did you mean 'instr"),
        (
            f"{BOTH}{RARE}\n{{{{ inptu }}}}{{% endif %}}",
            "line 4: unknown variable 'inptu'; did you",
        ),
        (f"{BOTH}{{{{ output_1 }}}}", "unknown variable 'output_1'; there are: instruction, input"),
        (
            "{{ instruction }}",
            "p/user.txt: the text does not show the variable 'input'; write {{ i",
        ),
        ("{# {{ instruction }} #}{{ input }}", "does not show the variable 'instruction'"),
        ("{% if instruction %}Do{% endif %}{{ input }}", "not show the variable 'instruction'"),
        ("{{ instruction }}{% if input %} See above.{% endif %}", "not show the variable 'input'"),
        ("{% raw %}{{ instruction }}{% endraw %}{{ input }}", "show the variable 'instruction'"),
        ("%(instruction)s <input> $input", "does not show the variable 'instruction'"),
        ("{{ instruction }\n", "p/user.txt, line 1: wrong template: unexpected '}'"),
        (
            f"{BOTH}{RARE}{{{{ input | trunk }}}}{{% endif %}}",
            "line 3: unknown filter 'trunk'; did",
        ),
        (f"{BOTH}{{{{ [1, 2] | random }}}}", "No filter named 'random'"),
        (f"{BOTH}{RARE}{{% include 'x' %}}{{% endif %}}", "line 3: a prompt cannot take in other"),
        (f"{BOTH}{{{{ input.strip }}}}", "a function is shown where it should be called"),
        (f"{BOTH}{{{{ ''.__class__ }}}}", "line 3: wrong template: access to attribute"),
        (BOTH + "{{ " + "(" * 300 + "1" + ")" * 300 + " }}", "p/user.txt"),
        (BOTH + "{{ 'x' * 10 ** 15 }}", "line 3: wrong template: MemoryError"),
        (f"{{% macro m() %}}{{{{ m() }}}}{{% endmacro %}}{{{{ m() }}}}{BOTH}", "maximum recursion"),
    ],
)
def test_a_wrong_prompt_is_one_line_with_its_place(user: str, message: str) -> None:
    with pytest.raises(BadInput) as caught:
        read(user)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("user", "system"),
    [
        ("{{ instruction }}{% if input %}\n\n{{ input }}{% endif %}", "You help."),
        (BOTH, ""),
        ("Do it.", BOTH),
        ("{{ input }}", "{{ instruction }}"),
        (BOTH + 'Reply as {"a": 1, "b": {"c": []}} {} {x} {{"{input}"}}', "{json}"),
        ("{% set q = instruction | trim %}{{ q }}{{ input }}", "x"),
        ("{% if input %}{% set q = 1 %}{% else %}{% set q = 2 %}{% endif %}{{ q }}", BOTH),
        ("{% for line in input.splitlines() %}{{ loop.index }}. {{ line }}{% endfor %}", BOTH),
        ("{% if input %}{{ input }}{% else %}{{ instruction }}{% endif %}", "x"),
    ],
)
def test_a_prompt_that_asks_is_let_through(user: str, system: str) -> None:
    read(user, system)


@pytest.mark.parametrize(
    ("user", "message"),
    [
        ("{{ count }}", "'examples'; write {% for each in examples %} where it belongs"),
        (EXAMPLES.replace("{{ count }}", ""), "does not show the variable 'count'"),
        (EXAMPLES.replace("each.", "each.topic if 0 else each.in"), "unknown field 'ininstruction"),
        (EXAMPLES + "{{ examples[3].topic }}", "no element 3"),
        (EXAMPLES + "{% if format == 'json_schema' %}{{ types.x }}{% endif %}", "attribute 'x'"),
    ],
)
def test_a_few_shot_prompt_shows_its_examples_and_their_fields(user: str, message: str) -> None:
    with pytest.raises(BadInput) as caught:
        read(user, variables=few_shot(3, 6))
    assert message in str(caught.value)
    read(EXAMPLES + "{{ types | join }}{{ examples[2].topic }}", variables=few_shot(3, 6))
    read(EXAMPLES.replace("{{ count }}", "One task:"), variables=few_shot(3, 1))


@given(st.text(alphabet="{}%# \n'\"instruco_1", max_size=30))
def test_no_text_is_a_traceback(text: str) -> None:
    with suppress(BadInput):
        TASK.check({Path("user.txt"): text})
