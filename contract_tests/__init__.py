"""Contract tests for servers and clients of the APIXO `gpt-image-1` endpoints."""
