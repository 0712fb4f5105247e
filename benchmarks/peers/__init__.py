"""Compare the mock with general mock servers that have two stubs. See docs/performance.md."""
