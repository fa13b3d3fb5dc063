"""Croissant metadata of the published rows: machines read from it what the dataset's card says.

The format is MLCommons' Croissant 1.0 (http://mlcommons.org/croissant/1.0), JSON-LD.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from alpacare.publishing.dataset_files import COLUMNS
from alpacare.publishing.licences import Licence

CROISSANT = "croissant.json"
_FILE = "train.jsonl"
_TERMS = (
    "citeAs", "column", "extract", "field", "fileObject", "fileProperty", "fileSet", "format",
    "includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet",
    "references", "regex", "repeated", "replace", "separator", "source", "subField", "transform",
)  # fmt: skip
_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "sc": "https://schema.org/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    **{term: f"cr:{term}" for term in _TERMS},
}
_MEANING = {
    "instruction": "What is asked.",
    "input": "The material that it is about; empty where there is none.",
    "output": "The answer of a language model.",
}


def describe_rows(
    name: str, licence: Licence, commit: str, files: Mapping[str, Any]
) -> dict[str, bytes]:
    """Give the metadata file for `train.jsonl` of `files`, by its name.

    `name` is the dataset's name on the Hub, or another short name; `commit` is Git's.
    """
    own = "LICENSE" if licence.text else f"https://spdx.org/licenses/{licence.name}.html"
    metadata = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": name.replace("/", "-"),
        "description": "Medical instructions with answers, written by language models to study "
        "instruction tuning; not reviewed by clinicians, and not for care.",
        "license": own,
        "url": f"https://huggingface.co/datasets/{name}" if "/" in name else CROISSANT,
        "version": "1.0.0",
        "citeAs": f"Rows of a pipeline's run at Git commit {commit}.",
        "distribution": [_file(files[_FILE])],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": "rows",
                "name": "rows",
                "field": [_field(column) for column in COLUMNS],
            }
        ],
    }
    return {CROISSANT: (json.dumps(metadata, indent=2, ensure_ascii=False) + "\n").encode()}


def _file(content: bytes) -> dict[str, str]:
    return {
        "@type": "cr:FileObject",
        "@id": _FILE,
        "name": _FILE,
        "contentUrl": _FILE,
        "encodingFormat": "application/jsonlines",
        "contentSize": f"{len(content)} B",
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def _field(column: str) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"rows/{column}",
        "name": column,
        "description": _MEANING[column],
        "dataType": "sc:Text",
        "source": {"fileObject": {"@id": _FILE}, "extract": {"column": column}},
    }
