"""The order of the steps, what their outcome depends on, and which of them must run."""
