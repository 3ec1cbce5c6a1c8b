"""The version, where each layer may read it and the build finds it."""

__all__ = ["__version__"]

__version__ = "0.1.0"
