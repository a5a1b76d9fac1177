"""Names of the files in a run folder; imports nothing."""

from __future__ import annotations

WEIGHTS = "model.safetensors"
CONFIG = "config.json"
STARTED = "started.json"
"""What an unfinished run learns, in the place of ``config.json``; see ``hierattn.run_list``."""
CHECKPOINT = "last.ckpt"
SPLITS, SEEN = "splits.csv", "seen.csv"
PREDICTIONS, METRICS = "predictions.csv", "metrics.json"
HISTORY = "history.csv"
POOLED, RECIPE = "pooled.json", "recipe.json"
"""Of a folder that joins the folds of a cross-validation."""
