"""What the prompts of each kind may use and must use, found before anything is asked."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from alpacare.core.errors import BadInput
from alpacare.core.texts import near_names
from alpacare.prompting.templates import environment, parse, render
from alpacare.records.task import Seed, TaskType, row_id

if TYPE_CHECKING:
    from jinja2 import nodes

_SINGLE_BRACES = re.compile(r"(?<!\{)\{\s*(\w+)\s*\}(?!\})")
_Fault = tuple[int, str]  # line, what is wrong there


@dataclass(frozen=True)
class Variables:
    """The variables of one kind of prompt.

    `cases`: values that a prompt is tried with. `others`: another value for each variable that
    must be used: a prompt whose text stays the same in all cases does not show it.
    """

    cases: tuple[Mapping[str, Any], ...]
    others: Mapping[str, Any]

    def check(self, files: Mapping[Path, str]) -> None:
        """Check the files that make one prompt, the one that must not be empty last.

        Raises:
            BadInput: a template is wrong, uses a variable that is not known, or does not use one
                that it must use.
        """
        for path, text in files.items():
            for line, fault in sorted(self._find_faults(path, text)):
                raise BadInput(f"{path}, line {line}: {fault}")
        *_, main = files
        if not files[main].strip():
            raise BadInput(f"{main}: the file is empty; write the prompt into it")
        plain = [_render_all(files, case) for case in self.cases]
        for name, other in self.others.items():
            # a case without input stays so: "if input" alone does not show it
            tried = [{**case, name: other} if case[name] else case for case in self.cases]
            changed = [_render_all(files, case) for case in tried]
            if plain == changed:
                how = f"{{{{ {name} }}}}" if name != "examples" else "{% for each in examples %}"
                raise BadInput(
                    f"{main}: the text does not show the variable '{name}'; write {how} where it "
                    "belongs"
                )

    def _find_faults(self, path: Path, text: str) -> Iterator[_Fault]:
        """Find faults also in branches that no case takes."""
        tree = parse(text, path)
        yield from _unknown_names(tree, self.cases[0])
        yield from _single_braces(tree, self.cases[0])
        yield from _unknown_fields(tree, self.cases[0])
        yield from _unknown_functions(tree)


def _render_all(files: Mapping[Path, str], case: Mapping[str, Any]) -> list[str]:
    return [render(text, case, path) for path, text in files.items()]


def _unknown_names(tree: "nodes.Template", known: Mapping[str, Any]) -> Iterator[_Fault]:
    from jinja2 import meta, nodes

    names = list(tree.find_all(nodes.Name))
    own = {name.name for name in names if name.ctx == "store"}  # jinja counts one set in branches
    unknown = meta.find_undeclared_variables(tree) - known.keys() - own
    for name in names:
        if name.name in unknown:
            yield name.lineno, _unknown("variable", name.name, known)


def _single_braces(tree: "nodes.Template", known: Mapping[str, Any]) -> Iterator[_Fault]:
    """Find variables as other tools write them; other braces, as in JSON, are text."""
    from jinja2 import nodes

    lines: dict[str, int] = {}
    for part in tree.find_all(nodes.TemplateData):
        for match in _SINGLE_BRACES.finditer(part.data):
            if match[1] in known:
                line = part.lineno + part.data.count("\n", 0, match.start())
                lines.setdefault(match[1], line)
    if lines:
        single = ", ".join(f"{{{name}}}" for name in lines)
        double = ", ".join(f"{{{{ {name} }}}}" for name in lines)
        yield min(lines.values()), f"single braces are plain text: {single}; write {double}"


def _unknown_fields(tree: "nodes.Template", known: Mapping[str, Any]) -> Iterator[_Fault]:
    """Find fields that examples do not have, in a loop over them."""
    from jinja2 import nodes

    for loop in tree.find_all(nodes.For):
        if loop.iter != nodes.Name("examples", "load") or not isinstance(loop.target, nodes.Name):
            continue
        example = known["examples"][0]
        for each in loop.find_all(nodes.Getattr):
            shown = each.node == nodes.Name(loop.target.name, "load")
            if shown and not hasattr(example, each.attr):
                yield each.lineno, _unknown("field", each.attr, Seed.model_fields)


def _unknown_functions(tree: "nodes.Template") -> Iterator[_Fault]:
    """Find what jinja2 itself would find only when it is used: filters, tests, other files."""
    from jinja2 import nodes

    for kind, known in (
        (nodes.Filter, environment().filters),
        (nodes.Test, environment().tests),
    ):
        for each in tree.find_all(kind):
            if each.name not in known:
                yield each.lineno, _unknown(kind.__name__.lower(), each.name, known)
    for other in tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)):
        yield other.lineno, "a prompt cannot take in other files; write their text here"


def _unknown(kind: str, name: str, known: Iterable[str]) -> str:
    return f"unknown {kind} '{name}'; {near_names(name, known)}"


_FIRST = {"instruction": "Explain what a fever is.", "input": "A note of a nurse."}
_OTHER = {"instruction": "Name the bones of a hand.", "input": "A list of three drugs."}
_WITHOUT_INPUT = {**_FIRST, "input": ""}
_ANSWERS = {"output_1": "The first answer.", "output_2": "Another one."}

# a prompt that is filled with one task
TASK = Variables((_FIRST, _WITHOUT_INPUT), _OTHER)
# the student's two templates: the second is for tasks without input
WITH_INPUT = Variables((_FIRST,), _OTHER)
WITHOUT_INPUT = Variables((_WITHOUT_INPUT,), {"instruction": _OTHER["instruction"]})
# a judge's: a task and two answers
COMPARISON = Variables(
    ({**_FIRST, **_ANSWERS}, {**_WITHOUT_INPUT, **_ANSWERS}),
    {**_OTHER, "output_1": "Something else.", "output_2": "Something else again."},
)
# that of a judge that grades one answer by criteria
GRADING = Variables(
    (
        {
            "conversation": "user: Explain what a fever is.",
            "output": "The answer.",
            "criteria": "[5] Says what a fever is.",
        },
    ),
    {
        "conversation": "user: Name the bones of a hand.",
        "output": "Another one.",
        "criteria": "[3] Names all.",
    },
)
# a verifier's: a task and one answer
ANSWER = Variables(
    ({**_FIRST, "output": "An answer."}, {**_WITHOUT_INPUT, "output": "An answer."}),
    {**_OTHER, "output": "Something else."},
)


def few_shot(examples: int, count: int) -> Variables:
    """Give the variables of a prompt that shows examples and asks for so many new tasks."""
    shown = {
        "examples": (_EXAMPLE,) * examples,
        "count": count,
        "types": get_args(TaskType),
        "format": "text",
    }
    others: dict[str, Any] = {"examples": (_OTHER_EXAMPLE,) * examples}
    if count > 1:  # "write a task" says it without the variable
        others["count"] = count + 1
    return Variables((shown, {**shown, "format": "json_schema"}), others)


_EXAMPLE = Seed(
    id=row_id(**_FIRST),
    **_FIRST,
    type="open QA",
    topic="Medicine",
    view="patient",
    difficulty=1,
)
_OTHER_EXAMPLE = Seed(
    id=row_id(**_OTHER),
    **_OTHER,
    type="chat",
    topic="Nursing",
    view="nurse",
    difficulty=2,
)
