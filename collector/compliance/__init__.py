"""From evidence to verdicts to the figure. No I/O except reading the store in `evidence`."""
