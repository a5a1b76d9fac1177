"""The Android app; its Python part is the offline build."""
