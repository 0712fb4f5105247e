"""Measure the speed and the memory of the mock server. See docs/performance.md."""
