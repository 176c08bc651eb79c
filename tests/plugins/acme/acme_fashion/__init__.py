"""Made for fullshot by somebody else."""
