"""The audit: does this client keep the contract? The journal of a mock is the only witness."""
