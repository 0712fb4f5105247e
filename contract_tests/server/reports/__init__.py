"""The report of a run: the canonical report, and the files that are made from it."""
