"""Safe display of texts from models and files, on a terminal or in a self-contained HTML page."""

from alpacare.core.public import exports

__getattr__, __all__ = exports(
    __name__,
    html="as_compressed_json as_script_json content_security_policy open_templates",
    text="name_some wrapped",
)
