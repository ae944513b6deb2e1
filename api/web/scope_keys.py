"""Names under which the frame's parts leave something for each other in the ASGI scope."""

ALLOWED = "samsyn.allowed"
"""Callable (scope) -> text of the `Allow` header for that path; set by `methods.Methods`."""

TRACE_ID = "samsyn.trace_id"
"""32 hex digits of the request's trace; set by `trace.Envelope`."""
