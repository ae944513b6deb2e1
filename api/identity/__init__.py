"""Who asks: an access token (RFC 9068, ES256) becomes a `Caller`, or the request is refused.

`tokens` verifies, `jwks` knows the issuer's keys, `claims` reads what was signed, `caller` is what the rest of the
service sees, `development` signs tokens for the demo. Whether the agency is registered and a purpose exists is asked
elsewhere. INVARIANT: `tokens` alone imports the JOSE library, so its holes have one guard.
"""
