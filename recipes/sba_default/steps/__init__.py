"""The user code of the recipe for defaults of SBA loans: one module per step."""
