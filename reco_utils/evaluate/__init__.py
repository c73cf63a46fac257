"""Lists and truth in, numbers out."""
