"""What the engine costs, measured against other ways to the same result."""
