"""From vetted pairs to a dataset: read, check, group, split, augment, write."""
