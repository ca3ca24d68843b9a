"""Why the agent does not work: each check says what it found, and the fix."""
