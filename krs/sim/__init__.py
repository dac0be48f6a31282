"""A simulated Koyeb and GitHub as real HTTP servers on loopback, with traffic: for `krs demo` and the tests.

What they answer is checked against both APIs' OpenAPI descriptions. Nothing that serves production imports this.
"""
