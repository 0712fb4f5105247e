"""The store in Redis: several processes are one mock (decision 17)."""
