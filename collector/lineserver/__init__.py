"""The city's measurement server: schedules tests, carries their bytes, and records each test."""
