"""Stories that are played on installations of their own, which are gone afterwards."""
