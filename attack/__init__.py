"""Attacks on purpose: who is let in where they must not be, by requests, sessions, races, clocks and chains of acts."""
