"""Further chapters of the story, one in each module."""
