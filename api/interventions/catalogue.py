"""The method catalogue of `catalogue.toml`: reference data that comes with the program."""

import tomllib
from functools import lru_cache
from importlib.resources import files
from typing import Any


@lru_cache(maxsize=1)
def catalogue() -> tuple[dict[str, Any], ...]:
    """Every intervention (*insats*) as a row of `interventions`, in the folder's order."""
    text = files(__package__).joinpath("catalogue.toml").read_text("utf-8")
    return tuple(
        {**method, "type": kind, "source": section["source"]}
        for kind, section in tomllib.loads(text).items()
        for method in section["methods"]
    )
