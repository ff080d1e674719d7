"""Proof that what was exported is the model that was evaluated."""
