"""The SBA loan file: fetching it, typing it, keeping the charged-off loans."""
