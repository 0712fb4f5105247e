"""The report of an audit: the canonical report, and the files that are made from it."""
