"""Audits clients: checks with the journal of a mock which clauses of the contract they keep."""
