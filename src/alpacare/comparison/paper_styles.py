"""Which tables `alpacare table --style` prints."""

from collections.abc import Iterator

from alpacare.comparison.benchmark_table import format_benchmark_table
from alpacare.comparison.paper_table import format_table
from alpacare.core.errors import BadInput
from alpacare.pipeline.params import read_params


def format_style(form: str, style: str) -> Iterator[str]:
    """Give the tables of a style, in `form` Markdown or LaTeX.

    Raises:
        BadInput: there is nothing to show.
    """
    if style == "bioinstruct":
        yield format_benchmark_table(form, style)
        return
    yield format_table(form)
    if read_params().benchmarks:
        try:
            yield "\n" + format_benchmark_table(form, style)
        except BadInput as error:  # the win rates are right without them
            yield f"\n{error}"
