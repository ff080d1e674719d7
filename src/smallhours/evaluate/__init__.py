"""Measures a tuned adapter against the model it came from and says whether it may ship.

Start at :func:`smallhours.evaluate.run.evaluate_run`; ``gate`` holds the thresholds' logic, ``metrics``
the intervals, ``scorers`` what is measured on each answer.
"""
