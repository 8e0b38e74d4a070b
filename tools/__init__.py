"""What stands behind the Makefile. For maintainers; no chapter imports from here."""
