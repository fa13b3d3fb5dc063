"""What a team shares: data, weights, and how they came about."""
