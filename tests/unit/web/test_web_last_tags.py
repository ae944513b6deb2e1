"""A remembered tag is the tag: whatever was answered before, under whatever address."""

import os
import random

from starlette.requests import Request

from api.web import conditional
from api.web.conditional import _LastTags, etag_of


def test_tag_is_always_that_of_the_body_and_few_bodies_are_kept():
    seed = int(os.environ.get("SAMSYN_TEST_SEED", random.SystemRandom().randrange(2**32)))
    print("SAMSYN_TEST_SEED =", seed)
    chance = random.Random(seed)
    tags = _LastTags()
    bodies = [bytes([65 + n]) * size for n in range(3) for size in (0, 4096, 4097, 50_000, 262_144, 262_145)]
    bodies += [body[:-1] + b"x" for body in bodies if body]
    for _ in range(3000):
        scope = {"type": "http", "path": f"/{chance.randrange(100)}", "query_string": chance.choice([b"", b"a=1"])}
        body, media_type = chance.choice(bodies), chance.choice(["application/json", "text/csv"])
        assert tags.tag(Request(scope), body, media_type) == etag_of(body, media_type)
        assert len(tags._last) <= conditional._REMEMBERED
        assert all(len(kept) <= conditional._REMEMBERED_BYTES for kept, _ in tags._last.values())
