"""What `alpacare leaderboard` and `compare` print: test sets before judges, then benchmarks."""

from alpacare.comparison.benchmark_board import make_benchmark_boards
from alpacare.comparison.benchmark_compare import comparable_benchmarks, print_benchmark_comparison
from alpacare.comparison.benchmark_print import print_benchmark_boards
from alpacare.comparison.benchmark_runs import BenchmarkResults
from alpacare.comparison.board_notes import print_notes
from alpacare.comparison.compare import print_comparison
from alpacare.comparison.leaderboard import make_boards, named
from alpacare.comparison.leaderboard_print import print_boards
from alpacare.comparison.model_runs import make_reader
from alpacare.comparison.rubric_board import make_rubric_boards
from alpacare.comparison.rubric_board_print import print_rubric_boards
from alpacare.core.errors import BadInput
from alpacare.pipeline.params import Params, read_params


def print_all_boards(test: str | None, judge: str | None) -> None:
    """Print the leaderboards of all test sets and benchmarks, or of the one that is named.

    Raises:
        BadInput: an unknown name; or there is nothing to rank.
    """
    params = read_params()
    confidence = 100 * params.scores.confidence
    tests, judges = [*params.tests, *params.benchmarks], params.judgments
    named("test", test, tests, "tests and benchmarks")
    if test in params.benchmarks:
        _refuse_judge(test, judge)
        boards = make_benchmark_boards(params, [test])
        if not boards:
            raise BadInput(BenchmarkResults.read(params, test).missing[0])
        return print_benchmark_boards(boards, confidence)
    named("judge", judge, [*judges.all_judges, *judges.rubric_judges], "judgments")
    of_benchmarks = make_benchmark_boards(params, [] if test or judge else params.benchmarks)
    if judge not in judges.rubric_judges:
        _print_judged(params, test, judge, bool(of_benchmarks))
    if judges.rubric_judges and judge not in judges.all_judges:
        print_rubric_boards(make_rubric_boards(params, test, judge), confidence)
    print_benchmark_boards(of_benchmarks, confidence)
    return None


def _print_judged(params: Params, test: str | None, judge: str | None, others: bool) -> None:
    """Print the boards of test sets; `others`: there is more to show, should there be none."""
    read = make_reader()
    try:
        boards = make_boards(params, test, judge, read)
    except BadInput as error:
        if not others:
            raise
        print(error)
        return
    print_boards(boards, 100 * params.scores.confidence)
    print_notes(params, boards, read)


def print_all_comparisons(first: str, second: str, test: str | None, judge: str | None) -> None:
    """Compare two models on all test sets and benchmarks, or on the one that is named.

    Raises:
        BadInput: as `print_comparison`, and `print_benchmark_comparison`.
    """
    if test is not None and test in read_params().benchmarks:
        _refuse_judge(test, judge)
        print_benchmark_comparison(first, second, test)
        return
    print_comparison(first, second, test, judge)
    for name in [] if test or judge else comparable_benchmarks(first, second):
        print()
        print_benchmark_comparison(first, second, name)


def _refuse_judge(test: str | None, judge: str | None) -> None:
    if judge:
        raise BadInput(f"{test} is a benchmark, and has no judge; leave --judge out")
