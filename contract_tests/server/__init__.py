"""Tests servers: runs cases and reports which clauses of the contract a server keeps."""
