"""Which representation of a list of the law is sent, by Accept (RFC 9110 §12.5.1)."""

from api.errors import Problem

JSON = "application/json"
CSV = "text/csv"


def chosen(accept: str | None, offered: tuple[str, ...]) -> str:
    """The offered media type that the header likes best; the first where it likes several alike, or says nothing.

    Raises `Problem` 406, naming what there is.
    """
    if accept is None or not accept.strip():
        return offered[0]
    best = max(offered, key=lambda media_type: _weight(accept, media_type))
    if _weight(accept, best) > 0:
        return best
    raise Problem("not-acceptable", f"this is answered as {' or '.join(offered)}", extra={"available": list(offered)})


def _weight(accept: str, media_type: str) -> float:
    """How much a header wants a media type; the most specific range that matches decides."""
    ranges = {"*/*": 0, f"{media_type.partition('/')[0]}/*": 1, media_type: 2}
    best: tuple[int, float] = (-1, 0.0)
    for part in accept.split(","):
        name, *parameters = (word.strip().lower() for word in part.split(";"))
        if name in ranges:
            best = max(best, (ranges[name], _quality(parameters)))
    return best[1]


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
