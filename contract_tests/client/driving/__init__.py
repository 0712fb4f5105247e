"""Runs clients in the situations of the audit. Only this part uses processes and HTTP."""
