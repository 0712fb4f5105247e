"""Who holds what: the memory store behind the store's Protocol."""
