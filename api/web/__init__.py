"""The frame every endpoint stands in: what is refused before a handler runs, and what every answer carries.

From the outside in: `trace` (every answer's headers) → `problems` (every refusal's shape) → `query.RequestSyntax`
and `body.BodyLimit` (what can be read at all) → `methods` (405, OPTIONS, HEAD) → `route.StrictRoute` (declared
parameters, strict JSON) → the endpoint, which answers through `conditional.respond` and `paging`.
"""
