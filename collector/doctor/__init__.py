"""Every dependency of the city's side, checked; each check says what it found, and the fix."""
