"""The law as a public resource: provisions, secrecy rules, and *may this be shared?*"""
