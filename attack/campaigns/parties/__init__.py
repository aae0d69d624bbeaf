"""Campaigns of those who came later: managers of venues, devices, partners, other provinces, who is followed up."""
