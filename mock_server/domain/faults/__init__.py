"""Faults: what a rule can inject, each kind declared once with its properties."""
