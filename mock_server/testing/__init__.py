"""Helpers for tests of clients: a sandbox and a callback receiver."""
