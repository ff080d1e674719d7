"""Sentence vectors and what is near what; numpy only."""
