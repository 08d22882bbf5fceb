"""The parts of the model."""
