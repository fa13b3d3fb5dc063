"""What `alpacare doctor` looks at, a function a check."""
