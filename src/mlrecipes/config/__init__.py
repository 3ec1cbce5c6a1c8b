"""recipe.yaml and profiles: read, filled in, typed and checked as a whole."""
