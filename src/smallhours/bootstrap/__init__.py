"""The composition root: the only room that knows the concrete parts.

Heavy parts (torch, llama.cpp, FastAPI) are imported by the function that needs them, so that
``smallhours screen`` starts without any of them.
"""
