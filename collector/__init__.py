"""SchoolPulse in the city: receive, store, derive, judge."""
