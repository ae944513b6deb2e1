"""Hooks for schemathesis against a running demo: fresh tokens, and a fresh Idempotency-Key for every request.

    SCHEMATHESIS_HOOKS=tests.contract.hooks AGENCY=polismyndigheten PYTHONPATH=. \\
      uv run schemathesis run URL/openapi.json --url URL

A token lives five minutes, and a key that is used again with another body is rightly refused. That `from` is not after
`to` is said in words, which no generator reads (decision 0005).
"""

import os
import subprocess
import sys
import uuid
from pathlib import Path

import schemathesis

_SAMSYN = Path(sys.executable).parent / "samsyn"


@schemathesis.auth(refresh_interval=200)
class DevelopmentToken:
    """A token from the development issuer of the demo's data directory (`SAMSYN_DATA_DIR`)."""

    def get(self, _case, _context):
        agency = os.environ.get("AGENCY", "polismyndigheten")
        command = [str(_SAMSYN), "token", agency, "--purpose", "prevent-crime"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    def set(self, case, token, _context):
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {token}"}


@schemathesis.hook
def before_call(_context, case, _kwargs):
    if not (case.meta and case.meta.generation.mode.is_positive):
        return
    if case.headers and "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = f'"{uuid.uuid4()}"'
    ends = (case.query or {}).get("from"), (case.query or {}).get("to")
    if None not in ends:
        case.query["from"], case.query["to"] = sorted(ends)
