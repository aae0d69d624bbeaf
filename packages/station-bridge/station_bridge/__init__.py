"""A small program beside a gate, on a bus or at a desk: it reads scanners and readers, asks a Jixiang Code installation
with signed requests, and goes on without network by the published keys."""

__all__: list[str] = []  # import its modules
