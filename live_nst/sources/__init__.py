"""Where frames come from: cameras, streams, files, the demo."""
