"""Style transfer by optimization: losses on VGG features, `paint` and `score`."""
