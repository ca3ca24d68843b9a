"""Current PCs and devices: where they are, their state, and differences from the register."""
