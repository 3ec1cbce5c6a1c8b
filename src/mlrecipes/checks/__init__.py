"""Looking at data: profiles of tables."""
