"""The loans that the U.S. Small Business Administration guaranteed, for the recipes beside.

A recipe imports it by ``code_paths: [../sba_loans]``. Here stands what the recipes share: the file
is fetched and typed, its columns are cleaned, and loans become numbers for boosted trees.
"""
