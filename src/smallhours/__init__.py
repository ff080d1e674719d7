"""Smallhours: from a small set of vetted question-and-answer pairs to a support assistant."""

__version__ = "0.1.0"

__all__ = ["__version__"]
