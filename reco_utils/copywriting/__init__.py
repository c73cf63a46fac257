"""Facts in, copy out: briefs, prompts, writers, and the checks that refuse what the facts do not support."""
