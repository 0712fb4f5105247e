"""The faults that a rule can inject, each declared once with its properties."""
