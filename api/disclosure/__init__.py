"""The gate: what is asked, cut to what is lawful, compiled to one statement, answered with a receipt."""
