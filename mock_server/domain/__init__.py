"""The contract as pure code: no I/O, no clock, no framework."""
