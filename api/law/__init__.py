"""The law as a public resource: provisions, secrecy rules, and the question *may this be shared?*."""
