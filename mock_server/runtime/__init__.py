"""The real world, one port a file: the clock, the sender of callbacks, the fetcher of images."""
