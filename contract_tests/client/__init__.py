"""Judges clients: audits the journal of a mock to see which clauses of the contract one keeps."""
