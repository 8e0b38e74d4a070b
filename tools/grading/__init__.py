"""Grading a class: ``python -m tools.grading``, see ``make grade``.

A student's code runs in a sandbox (`sandbox`, and `inside` it), the tests outside; between them
travels plain data. `submissions` reads what learning platforms export, `grade` marks one
submission, `report` writes the table and the feedback.
"""
