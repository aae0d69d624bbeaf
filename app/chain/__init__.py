"""The audit as a chain that anybody can check: linking entries, signing the head of each day, verifying it all."""
