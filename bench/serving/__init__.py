"""What serving costs on top of the model, how fast the model is beneath it, and what a fault takes away.

Each process that is measured is a real one; the load comes from a process of its own. What cannot be told
apart from a model's own spread is measured over a stand-in (:mod:`bench.serving.stand_in`).
"""
