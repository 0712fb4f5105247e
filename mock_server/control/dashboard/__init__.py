"""The dashboard: a page for a developer who looks rather than reads."""
