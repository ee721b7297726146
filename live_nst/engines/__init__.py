"""What runs a model: TensorFlow."""
