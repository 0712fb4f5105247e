"""The provider's endpoints, one class per operation."""
