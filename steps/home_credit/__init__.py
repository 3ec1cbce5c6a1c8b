"""The data of the Home Credit recipe: the user's own download, or a synthetic stand-in."""
