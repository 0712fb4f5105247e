"""Traffic that covers combinations: scenarios, the player that sends them, and shrinking."""
