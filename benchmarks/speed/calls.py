"""Single calls: the tutorial's way against ours, on the same frame and style."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from live_nst.engines.runtime import tensorflow, tensorflow_hub
from live_nst.engines.tensorflow import TensorFlowEngine, as_function
from live_nst.frames import Image
from live_nst.models.freeze import freeze
from live_nst.models.split import split
from live_nst.styles.library import builtin_picture
from live_nst.styles.picture import crop, read_picture
from live_nst.stylizer import Stylizer, network_size

Call = Callable[[], Any]


def single_calls(model: str, folder: Path, frame: Image, size: int) -> dict[str, Call]:
    """What is timed, by name; every call ends with its result on the host.

    - "naive": the whole module with both pictures for every frame, as the Hub's tutorial does
      it: pictures resized and converted on the host, float pictures up and down.
    - "network": the style transfer network alone, float tensors of its size in and out.
    - "program": the frame program: camera frame (uint8) in, small stylised frame (uint8) out.
    - "stylizer": camera frame in, camera frame out.
    """
    tf = tensorflow()
    width, height = network_size((frame.shape[1], frame.shape[0]), size)
    style = crop(read_picture(builtin_picture("starry")), (256, 256))
    module = tensorflow_hub().load(str(folder))

    def naive() -> np.ndarray:
        small = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)
        content = cv2.cvtColor(small, cv2.COLOR_BGR2RGB).astype(np.float32)[None] / 255
        picture = cv2.cvtColor(style, cv2.COLOR_BGR2RGB).astype(np.float32)[None] / 255
        stylised = module(tf.constant(content), tf.constant(picture))[0].numpy()[0]
        return cv2.cvtColor((stylised * 255).astype(np.uint8), cv2.COLOR_RGB2BGR)

    programs = split(freeze(folder))
    engine = TensorFlowEngine(programs)
    tensors = engine.expand(engine.encode(style))
    program = as_function(programs.frame)
    specs = [tf.TensorSpec([1, height, width, 3], tf.float32)]
    specs += [tf.TensorSpec(shape, tf.float32) for shape in programs.frame.input_shapes[1:]]
    function = tf.function(program, autograph=False).get_concrete_function(*specs)
    content = tf.random.uniform([1, height, width, 3])
    stylizer = Stylizer(model, ["starry"], size=size)
    return {
        "naive": naive,
        "network": lambda: function(content, *tensors)[0].numpy(),
        "program": lambda: stylizer.network(frame),
        "stylizer": lambda: stylizer(frame),
    }
