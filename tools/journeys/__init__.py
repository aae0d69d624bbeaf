"""Every journey of a citizen, an inspector, an officer and an operator, walked in a real browser and counted."""
