"""The city's measurement server: whose turn it is, the bytes, and its own record of each test."""
