"""The safety head: a logistic regression on sentence vectors, from our own words."""
