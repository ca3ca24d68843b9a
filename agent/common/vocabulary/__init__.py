"""What users read, in Chinese and in English: one table for every screen, report and board."""
