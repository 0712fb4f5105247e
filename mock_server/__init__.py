"""A simulator of the APIXO `gpt-image-1` endpoints, for offline development and tests."""
