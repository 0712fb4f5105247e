"""Runs clients in the situations of the audit: the only part with processes and HTTP."""
