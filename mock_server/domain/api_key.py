"""The limit of an API key."""

# Keys of services have less than 200 characters. Whatever is kept or redacted for a key has a
# bound only if the key has one.
MAX_KEY_LENGTH = 512
