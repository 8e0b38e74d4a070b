"""What became of each claim on fresh seeds, as ``tools.replicate`` keeps it."""

from __future__ import annotations

import json
from pathlib import Path

REPLICATION = Path("tools", "replication.json")


def replications(root: Path) -> dict[str, dict]:
    """What ``make replicate`` found: by chapter its ``digest`` and its ``rounds``, by offset."""
    file = root / REPLICATION
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def held(entry: dict) -> bool:
    """Whether a claim held in a round."""
    return entry["verdict"].startswith("holds")


def repeated(entries: list[dict]) -> list[dict]:
    """Those outcomes of a round that new seeds can change, and what stopped a chapter."""
    return [e for e in entries if not e.get("scope") and not e["verdict"].startswith("not tested")]


def failure(entry: dict) -> str:
    """A claim that failed, with what was found, or the error that stopped a chapter."""
    found = f": {entry['shown']}, claimed {entry['bound']}" if "shown" in entry else ""
    return f"{entry['text'] or entry['verdict']}{found}"


def replicated(root: Path) -> tuple[int, int]:
    """How many outcomes of repeated claims held on fresh seeds, and how many there are."""
    outcomes = [
        held(entry)
        for chapter in replications(root).values()
        for entries in chapter["rounds"].values()
        for entry in repeated(entries)
    ]
    return sum(outcomes), len(outcomes)
