"""Where personal data stands in a text: one module for each kind. ``scrub`` puts them together."""
