"""The parts of the load generator."""
