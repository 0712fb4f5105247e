"""The implementation of `domain.store.Store` that keeps all sandboxes in memory."""
