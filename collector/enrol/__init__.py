"""The city's CA, the credentials of its services and schools, and the bundles for the schools."""
