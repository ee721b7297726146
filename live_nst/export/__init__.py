"""Export a model for other programs: ONNX files, style tensors and a model card."""
