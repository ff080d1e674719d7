"""Every error that Smallhours raises on purpose.

    SmallhoursError              exit code 3: it broke, and we know how
    ├── InputError               exit code 2: something that was given is wrong
    │   ├── DataError            a file, a row or a field of the data
    │   ├── SettingsError        a configuration file, variable or flag
    │   └── RunError             a run folder: missing, unfinished, or from another version
    ├── RefusedError             exit code 1: the answer is no (the gate, a check)
    │   └── MissingError         what was asked for is not there, or not any more
    ├── ResourceError            the machine: disk full, port in use, out of memory
    │   └── StoreError           a database or key store that does not answer
    └── EngineError              a model that does not answer
        ├── ReplyError           it answered, but not in the form it was asked for
        ├── EngineTimeoutError   it was silent for too long
        └── EngineCancelledError nobody waits for the answer any more

A message says what is wrong, where (file, row, field), and what to do about it.
"""

from __future__ import annotations

from collections.abc import Sequence


class SmallhoursError(Exception):
    """The root of the tree; ``exit_code`` is what a command ends with."""

    exit_code = 3


class InputError(SmallhoursError):
    """Something that was given to us is wrong."""

    exit_code = 2


class DataError(InputError):
    """One or more problems in a data file, each one line that names row, field, rule and remedy."""

    def __init__(self, problems: Sequence[str] | str) -> None:
        self.problems = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(self.problems))


class SettingsError(InputError):
    """All the problems of a configuration, found in one go."""

    def __init__(self, problems: Sequence[str] | str) -> None:
        self.problems = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(self.problems))


class RunError(InputError):
    """A run folder that cannot be used as asked."""


class RefusedError(SmallhoursError):
    """The work was done and the answer is no."""

    exit_code = 1


class MissingError(RefusedError):
    """What was asked for is not there, or not any more."""


class ResourceError(SmallhoursError):
    """The machine has too little of something, or it is taken."""


class StoreError(ResourceError):
    """A database or key store does not answer, or what it holds cannot be read."""


class EngineError(SmallhoursError):
    """A model failed to load or to answer."""


class ReplyError(EngineError):
    """A model answered, but not in the form it was asked for."""


class EngineTimeoutError(EngineError):
    """A model was silent for too long, or took too long over all."""


class EngineCancelledError(EngineError):
    """The answer was called off; no fault of the model."""
