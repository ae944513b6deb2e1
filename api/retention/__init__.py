"""How long an agency keeps what it holds here (*gallring*): rules, and what they say is due."""
