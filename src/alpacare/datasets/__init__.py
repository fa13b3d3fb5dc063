"""Datasets from elsewhere: the catalogue of published ones, downloads, readers of others' formats,
imports of rows, seed tasks and test sets.
"""

from alpacare.core.public import exports

__getattr__, __all__ = exports(
    __name__,
    benchmark_import="import_benchmark",
    benchmark_items="BenchmarkFile read_items",
    forms="FormReader FormRow",
    imports="fetch_dataset import_file",
    json_tables="TableRow json_rows",
    labels_import="import_labels",
    rubric_rows="read_rubric_rows",
    seed_files="SeedsSettings read_seeds",
    sources="Part open_source",
    tables="read_table_rows",
    test_set_import="import_test_set",
)
