"""An ONNX graph under construction, and how each TensorFlow tensor is stored in it.

TensorFlow's images are `[1, height, width, channels]`. ONNX's operations take images *planar*:
`[1, channels, height, width]`. A tensor of four dimensions is therefore stored in either order,
and converted when an operation needs the other one. float32 tensors may be stored as float16.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live_nst.errors import ModelError
from live_nst.models.graph.graph_def import InferredGraph

TO_PLANAR = (0, 3, 1, 2)
TO_NATIVE = (0, 2, 3, 1)
HINT = "use a model of other layers, such as --model mobile or --model hub"

_Array = NDArray[Any]


@dataclass(frozen=True)
class Form:
    """How a tensor is stored.

    Attributes:
        planar: Channels first; only tensors of four dimensions can be.
        half: As float16; only float32 tensors can be.
    """

    planar: bool = False
    half: bool = False


class GraphBuilder:
    """Collects the nodes and constants of an ONNX graph.

    Args:
        graph: The TensorFlow graph, of fixed shapes.
        half: Whether convolutions are computed in float16.
    """

    def __init__(self, graph: InferredGraph, half: bool = False) -> None:
        self.graph = graph
        self.half = half
        self.nodes: list[Any] = []
        self._constants: dict[tuple[str, tuple[int, ...], bytes], Any] = {}
        self._stored: dict[str, dict[Form, str]] = {}
        self._count = 0
        self._finished: set[str] = set()

    @property
    def initializers(self) -> list[Any]:
        """The constants of the graph."""
        return list(self._constants.values())

    def node(self, kind: str, inputs: Sequence[str], **attributes: Any) -> str:
        """Add an operation with one output, and return the output's name."""
        (name,) = self.nodes_of(kind, inputs, 1, **attributes)
        return name

    def nodes_of(
        self, kind: str, inputs: Sequence[str], count: int, **attributes: Any
    ) -> list[str]:
        """Add an operation with `count` outputs, and return their names."""
        from onnx import helper

        self._count += 1
        names = [f"{kind.lower()}_{self._count}"]
        names += [f"{names[0]}_{index}" for index in range(1, count)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, names[0], **attributes))
        return names

    def constant(self, values: Any, kind: Any = None) -> str:
        """Return the name of a constant; equal ones are stored once."""
        from onnx import numpy_helper

        array = np.array(values, kind, order="C")
        key = (str(array.dtype), array.shape, array.tobytes())
        if key not in self._constants:
            name = f"constant_{len(self._constants)}"
            self._constants[key] = numpy_helper.from_array(array, name)
        return str(self._constants[key].name)

    def shape(self, tensor: Any) -> list[int]:
        """Return the shape of a TensorFlow tensor.

        Raises:
            ModelError: It is not known before the program runs.
        """
        (shape,) = self.graph.shapes(tensor)
        if None in shape:
            raise ModelError(f"The size of the model's tensor {tensor.name} is not fixed.", HINT)
        return [side for side in shape if side is not None]

    def known(self, tensor: Any) -> _Array:
        """Return the value of a tensor that depends on no input.

        Raises:
            ModelError: It depends on one.
        """
        value = self.graph.constant(tensor)
        if value is None:
            raise ModelError(f"The model's tensor {tensor.name} changes from frame to frame.", HINT)
        return np.asarray(value)

    def is_known(self, tensor: Any) -> bool:
        """Return whether a tensor depends on no input."""
        return self.graph.constant(tensor) is not None

    def set(self, tensor: Any, name: str, form: Form) -> None:
        """Store a TensorFlow tensor under a name of this graph."""
        self._stored[tensor.name] = {form: name}

    def copy(self, tensor: Any, source: Any) -> None:
        """Store `tensor` as what `source` is."""
        if source.name in self._stored:
            self._stored[tensor.name] = self._stored[source.name]

    def form(self, tensor: Any) -> Form:
        """Return how a tensor that is no constant is stored.

        Raises:
            ModelError: It is a result that was not written, such as a layer's statistics.
        """
        if tensor.name not in self._stored:
            raise ModelError(f"The model's tensor {tensor.name} cannot be written as ONNX.", HINT)
        return next(iter(self._stored[tensor.name]))

    def get(self, tensor: Any, form: Form) -> str:
        """Return the name of a tensor in a form, converted if it must be."""
        form = Form(form.planar, form.half and tensor.dtype.name == "float32")
        if self.is_known(tensor):
            return self._known_as(tensor, form)
        current = self.form(tensor)
        forms = self._stored[tensor.name]
        if form not in forms:
            name = forms[current]
            for each, stored in forms.items():  # a change of type costs less than one of order
                if each.planar == form.planar:
                    current, name = each, stored
            if current.half and not form.half:
                name = self.cast(name, np.float32)
            name = self._reorder(name, self.shape(tensor), current.planar, form.planar)
            if form.half and not current.half:
                name = self.cast(name, np.float16)
            forms[form] = name
        return forms[form]

    def operand(self, tensor: Any, form: Form) -> str:
        """Return a tensor as an operand that is spread over the others, which are of `form`."""
        rank = len(self.shape(tensor))
        if not form.planar or rank in (0, 4):
            return self.get(tensor, Form(form.planar and rank == 4, form.half))
        shape = [1] * (4 - rank) + self.shape(tensor)
        if self.is_known(tensor):
            array = self.known(tensor).reshape(shape).transpose(TO_PLANAR)
            return self.constant(_halved(array) if form.half else array)
        name = self.get(tensor, Form(False, form.half))
        name = self.node("Reshape", [name, self.constant(shape, np.int64)])
        return self._reorder(name, shape, False, True)

    def rename(self, name: str, output: str) -> None:
        """Make a tensor of this graph the output of that name.

        An operation that only copies it is avoided: CoreML has none.
        """
        from onnx import helper

        producer = next((node for node in self.nodes if name in node.output), None)
        if producer is None or name in self._finished:
            self.nodes.append(helper.make_node("Identity", [name], [output], output))
            return
        self._finished.add(output)
        for node in self.nodes:
            for names in (node.input, node.output):
                names[:] = [output if each == name else each for each in names]
        for forms in self._stored.values():
            forms.update({form: output for form, stored in forms.items() if stored == name})

    def cast(self, name: str, kind: Any) -> str:
        """Add a conversion to another type."""
        from onnx import helper

        return self.node("Cast", [name], to=helper.np_dtype_to_tensor_dtype(np.dtype(kind)))

    def reshape(self, tensor: Any, source: Any) -> None:
        """Store `tensor` as `source` in the shape of `tensor`; the order of its numbers stays."""
        shape = self.shape(tensor)
        if shape == self.shape(source):
            self.copy(tensor, source)
            return
        half = self.form(source).half
        native = self.get(source, Form(False, half))
        name = self.node("Reshape", [native, self.constant(shape, np.int64)])
        self.set(tensor, name, Form(False, half))

    def prefers_planar(self, tensor: Any) -> bool:
        """Return whether a tensor is stored planar, or can be without moving its numbers."""
        if self.is_known(tensor):
            return False
        shape = self.shape(tensor)
        moves_nothing = len(shape) == 4 and (shape[1] * shape[2] == 1 or shape[3] == 1)
        return self.form(tensor).planar or moves_nothing

    def _known_as(self, tensor: Any, form: Form) -> str:
        array = self.known(tensor)
        array = array.transpose(TO_PLANAR) if form.planar else array
        return self.constant(_halved(array) if form.half else array)

    def _reorder(self, name: str, shape: list[int], before: bool, after: bool) -> str:
        """Add a change between the two orders. `shape` is TensorFlow's."""
        if before == after:
            return name
        order = TO_PLANAR if after else TO_NATIVE
        if shape[1] * shape[2] == 1 or shape[3] == 1:
            target = [shape[axis] for axis in TO_PLANAR] if after else shape
            return self.node("Reshape", [name, self.constant(target, np.int64)])
        return self.node("Transpose", [name], perm=list(order))


def _halved(array: _Array) -> _Array:
    return array.astype(np.float16)
