"""The measured figures of the design, each reproducible on one machine: `make bench`."""
