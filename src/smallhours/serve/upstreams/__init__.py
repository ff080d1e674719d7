"""Several model servers as one: least loaded first, each behind a breaker."""
