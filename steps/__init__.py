"""The user functions of the Home Credit recipe: one module per step."""
