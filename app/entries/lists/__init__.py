"""Officers' lists: files of spreadsheets and pasted cells, read strictly in meaning and leniently in wrapping.

`tables` finds the columns of a file, `lines` makes entries of its rows; what a spreadsheet destroyed is refused.
"""

__all__: list[str] = []  # import its modules
