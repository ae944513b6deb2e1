"""County and municipal indicators: how many scenes there are, year by year."""
