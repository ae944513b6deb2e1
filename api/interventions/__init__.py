"""The method catalogue and the intervention survey (*insatsenkät*)."""
