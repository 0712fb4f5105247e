"""The provider's surface over HTTP: decode, authenticate, encode; no rule of the provider."""
