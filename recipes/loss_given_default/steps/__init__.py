"""The user code of the loss given default recipe: one module per step."""
