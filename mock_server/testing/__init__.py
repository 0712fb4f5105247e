"""What a test says to the mock: its sandbox, and a receiver of callbacks."""
