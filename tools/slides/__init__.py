"""Slides of the chapters: ``python -m tools.slides``, see ``make slides``."""
