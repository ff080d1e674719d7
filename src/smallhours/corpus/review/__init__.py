"""What a named professional says about a pair: sign-offs, what follows from them, how far reviewers agree.

Names and credentials are recorded as they are given. Nothing here verifies them.
"""
