"""The client of the APIXO `gpt-image-1` endpoints that other programs can copy."""
