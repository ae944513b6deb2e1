"""Public-transport incidents (*händelser*), fed in batches."""
