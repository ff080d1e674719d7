"""The page of ``smallhours corpus review --browser``: plain forms on this machine alone."""
