"""What the school's side and the city's side both stand on. Imports nothing else of ours."""
