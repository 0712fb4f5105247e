"""Drives clients through the situations of the audit: the edge to processes and to the mock."""
