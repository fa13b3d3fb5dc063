"""Datasets from elsewhere: the catalogue of published ones, downloads, readers of others' formats,
imports of rows, seed tasks and test sets.
"""

from alpacare.core.public import exports

__getattr__, __all__ = exports(
    __name__,
    imports="fetch_dataset import_file",
    seed_files="SeedsSettings read_seeds",
    tables="read_json_rows read_table_rows",
    test_set_import="import_test_set",
)
