"""What API keys are like: their length, and the prefixes that have a meaning."""

# Keys of services have less than 200 characters. Whatever is kept or redacted for a key has a
# bound only if the key has one.
MAX_KEY_LENGTH = 512

INVALID_PREFIX = "sk-invalid"  # Keys that are always rejected.
FORBIDDEN_PREFIX = "sk-forbidden"  # Keys without permission (AUTH-5).
BROKE_PREFIX = "sk-broke"  # Keys without credit (SUB-17).
PREFIXES = frozenset({INVALID_PREFIX, FORBIDDEN_PREFIX, BROKE_PREFIX})
