"""The objective of neural style transfer: features, losses, painting by optimization, scores."""
