"""The provider's endpoints: what is special about each operation."""
