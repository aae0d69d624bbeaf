"""Campaigns of those who came later: managers of venues, machines, partners, other provinces, who is followed up."""
