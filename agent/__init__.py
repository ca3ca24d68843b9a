"""SchoolPulse on a school PC: probes, an outbox that forgets nothing, a link to the city."""
