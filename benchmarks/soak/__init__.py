"""The soak test: minutes of mixed traffic with faults, and checks of what is left afterwards."""
