"""Write programs as ONNX models, for ONNX Runtime, OpenVINO, browsers and others.

`emit.emit_program` and `emit.emit_frame` are the entrances. Inside, images are stored channels
first, and every shape is fixed, because CoreML and DirectML need both.
"""
