"""The command `client-reference`: the library from a shell."""
