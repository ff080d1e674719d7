"""``python -m smallhours``."""

from smallhours.cli.main import entry

entry()
