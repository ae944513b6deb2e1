"""GraphQL: strawberry defines and validates the schema and runs mutations; queries are compiled through the gate."""
