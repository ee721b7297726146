"""The live session: capture, paint, show."""
