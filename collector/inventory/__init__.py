"""What stands where, and how it is: PCs, devices, and both against the register."""
