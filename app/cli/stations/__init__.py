"""Commands about check stations and what is there."""
