"""Reading one's own part of the ledger: entries, receipts with their proof, and the extract for a person."""
