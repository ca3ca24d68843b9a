"""New versions of the agent: fetched, checked against the release key, installed, taken back."""
