"""The lawyers' document: the whole law in Swedish, written from the files that decide."""
