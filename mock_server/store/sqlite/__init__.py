"""The store in a file: a mock continues where it was after the process has ended."""
