"""Where a frame is stylized: people, their background, or what a mask image shows."""
