"""The resources of the control plane, one module each: response types, handlers and calls."""
