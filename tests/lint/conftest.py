"""Lint tests read the tree and run nothing of it but --help; each failure says what to change where."""

import sys

sys.dont_write_bytecode = True
