"""Second opinions on answers that an evaluation wrote: a model compares two at a time, and so do people."""
