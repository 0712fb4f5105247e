"""Explores clients: generates scenarios, judges invariants, and shrinks what fails."""
