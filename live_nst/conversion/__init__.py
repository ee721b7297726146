"""Whole files: every frame, in order, and an interrupted run goes on where it stopped."""
