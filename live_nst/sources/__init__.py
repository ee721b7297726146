"""Live frames: from cameras, video files, network streams and the demo video."""
