"""Judges servers: runs cases against one and reports which clauses of the contract it keeps."""
