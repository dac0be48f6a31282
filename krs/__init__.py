"""krs, the Koyeb runner scheduler: GitHub Actions runners on Koyeb, on demand."""

__version__ = "0.1.0"
