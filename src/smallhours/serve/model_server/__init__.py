"""llama.cpp in a supervised process of its own."""
