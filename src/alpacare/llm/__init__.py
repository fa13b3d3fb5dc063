"""Requests to any LLM behind an OpenAI-compatible server: client, ledger (the response cache), rate
limits, budget, prices, batches. Every answer is in the ledger the moment it arrives.
"""

from alpacare.core.public import exports

__getattr__, __all__ = exports(
    __name__,
    cache_pack="Entry read_pack write_pack",
    client="ask look_up",
    endpoints="Endpoint RECORDINGS read_endpoint",
    ledger="Ledger default_path",
    own_ledger="check_unused describe_unused",
    maintenance="import_pack intact_entries open_ledger verify_ledger verify_pack",
    prices="Prices",
    reply="Answer",
    request="Request chat complete",
    request_settings="RequestSettings",
    reservations="Reservations read_budget",
    task_requests="ResponsesSettings make_folder_requests make_requests",
    usage="count_usage report_usage",
)
