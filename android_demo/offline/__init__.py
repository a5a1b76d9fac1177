"""Builds the app without an Android SDK, from Debian and npm packages alone. See the README."""
