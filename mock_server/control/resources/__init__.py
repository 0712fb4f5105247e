"""One noun of the control plane a module: its answers, its handlers, and its calls."""
