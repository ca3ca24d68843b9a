"""New versions of the agent on the city's side: the key, the book, the manifest, the stages."""
