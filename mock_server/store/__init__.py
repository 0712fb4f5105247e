"""Implementations of `domain.store.Store`: where the commands of all sandboxes go."""
