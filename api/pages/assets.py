"""Where the pages' scripts and style sheets lie, and which of them may be cached for good.

static/docs.js, graphiql.js, site.css    ours; revalidated at every use
static/vendor/<name>-<version>/          third party, built by `.ci/vendor`; a new version gets a new address
static/vendor/VENDORED.json              name, version, licence and sha256 of every vendored file
"""

import json
from functools import cache
from pathlib import Path

STATIC = Path(__file__).parent / "static"

# INVARIANT: what lies under a versioned folder never changes under the same address.
IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATED = "no-cache"


@cache
def vendor_path(name: str) -> str:
    """Path, relative to the static folder, of a vendored package: `vendor/<name>-<version>`."""
    manifest = json.loads((STATIC / "vendor" / "VENDORED.json").read_text(encoding="utf-8"))
    folders = {package["name"]: package["folder"] for package in manifest["packages"]}
    return f"vendor/{folders[name]}"


def cache_control(path: str) -> str:
    """The Cache-Control of an asset, given its path relative to the static folder."""
    versioned = path.startswith((vendor_path("swagger-ui-dist") + "/", vendor_path("graphiql") + "/"))
    return IMMUTABLE if versioned else REVALIDATED
