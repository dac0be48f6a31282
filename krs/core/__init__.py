"""The scheduler's decisions as pure functions of (world, now).

No clock, randomness, environment, input or output lives here, and nothing of ours is imported but this package.
"""
