"""`make readers`: reads our codes with every QR decoder that installs here, and writes docs/reference/readers.md.

It needs the package registries, and Debian's libzbar0 for one decoder. A decoder that does not install is named so.
"""
