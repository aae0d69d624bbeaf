"""Appeals of citizens against a decision, and how officers resolve them."""
