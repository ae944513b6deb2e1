"""Which representations a situation report has: one today, and a refusal that names it (RFC 9110 §12.5.1)."""

from typing import Annotated, Any

from fastapi import Depends, Request

from api.errors import Problem

AVAILABLE = ("application/json",)
_MATCHING = {"application/json", "application/*", "*/*"}


def _quality(parameters: str) -> float:
    for parameter in parameters.split(";"):
        name, _, value = parameter.strip().partition("=")
        if name.lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def accepts_json(accept: str | None) -> bool:
    """Whether an Accept header leaves room for JSON: the most specific range that matches it decides."""
    if accept is None or not accept.strip():
        return True
    best: tuple[int, float] | None = None
    for part in accept.split(","):
        name, _, parameters = part.strip().partition(";")
        media_range = name.strip().lower()
        if media_range in _MATCHING:
            found = (2 - media_range.count("*"), _quality(parameters))
            best = found if best is None or found > best else best
    return best is not None and best[1] > 0


def _json_only(request: Request) -> None:
    if not accepts_json(request.headers.get("Accept")):
        raise Problem(
            "not-acceptable",
            f"a situation report is answered as {', '.join(AVAILABLE)}",
            extra={"available": list(AVAILABLE)},
        )


JsonOnly: Any = Annotated[None, Depends(_json_only)]
"""Parameter type of an endpoint that answers JSON and nothing else yet; raises `Problem` 406."""
