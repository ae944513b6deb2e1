"""The log of disclosures: one durable leaf per protected answer and refusal."""
