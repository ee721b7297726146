"""The live pipeline: from a source through the stylizer to a window and other sinks."""
