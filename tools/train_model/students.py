"""The networks that are trained, from one recipe: each paints a frame in a style's bottleneck."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tools.train_model.checkpoint import Checkpoint, State
from tools.train_model.layers import (
    Conv,
    Head,
    StyleNorm,
    depth_to_space,
    space_to_depth,
    upsample,
)
from tools.train_model.onnx_weights import RESIDUAL_BLOCKS, Weights, packaged_state


class Student(nn.Module):
    """What all students have."""

    multiple = 4
    """What both sides of a frame must be multiples of."""

    def __init__(self) -> None:
        super().__init__()
        self.head = Head()
        """Makes bottlenecks of what `predictor.Predictor` gives."""

    def forward(self, x: Tensor, bottleneck: Tensor) -> Tensor:
        """Paint frames.

        Args:
            x: `[batch, 3, height, width]`, RGB 0..1, both sides multiples of `multiple`.
            bottleneck: `[batch, BOTTLENECK]`.

        Returns:
            The painted frames, shaped as `x`, 0..1.
        """
        raise NotImplementedError


class Mobile(Student):
    """The architecture of the packaged network, from which `fine` is fine-tuned.

    Source: Ghiasi et al. (2017), table 1, in Magenta's mobile size: 8, 16 and 32 channels. 25.1
    thousand operations a pixel.
    """

    def __init__(self) -> None:
        super().__init__()
        a, b, c = 8, 16, 32
        self.down = nn.ModuleList(
            [Conv(3, a, 9, bias=True), Conv(a, b, 3, 2, bias=True), Conv(b, c, 3, 2, bias=True)]
        )
        body = [Conv(c, c, 3) for _ in range(2 * RESIDUAL_BLOCKS)]
        self.convs = nn.ModuleList([*body, Conv(c, b, 3), Conv(b, a, 3), Conv(a, 3, 9)])
        self.norms = nn.ModuleList([StyleNorm(n) for n in [c] * len(body) + [b, a, 3]])

    def forward(self, x: Tensor, bottleneck: Tensor) -> Tensor:
        """Paint frames; see `Student.forward`."""

        def layer(index: int, x: Tensor) -> Tensor:
            return self.norms[index](self.convs[index](x), bottleneck)

        for down in self.down:
            x = F.relu(down(x))
        last = 2 * RESIDUAL_BLOCKS
        for index in range(0, last, 2):
            x = x + layer(index + 1, F.relu(layer(index, x)))
        for index in (last, last + 1):
            x = F.relu(layer(index, upsample(x)))
        return torch.sigmoid(layer(last + 2, x))


class Live(Student):
    """`Mobile` with cheaper ends: nothing is at full size but the frame.

    Its convolutions of 9x9 pixels at full size take more than a third of `Mobile`'s time, its
    residual blocks less than a third. So four of five blocks stay, and can start from `Mobile`'s
    weights; what comes before and after works on blocks of 2x2 pixels, in multiples of 16 channels.
    15.0 thousand operations a pixel, of which `live_nst.models.graph.rewrite` saves 1.3 thousand.
    """

    BLOCK = 2
    HALF, QUARTER, BLOCKS = 16, 32, 4

    def __init__(self) -> None:
        super().__init__()
        pixels, half, quarter = 3 * self.BLOCK**2, self.HALF, self.QUARTER
        self.enter = Conv(pixels, half, 3, bias=True)
        self.down = Conv(half, quarter, 3, 2, bias=True)
        self.body = nn.ModuleList([Conv(quarter, quarter, 3) for _ in range(2 * self.BLOCKS)])
        self.up = Conv(quarter, half, 3)
        self.refine = Conv(half, half, 3)
        self.leave = Conv(half, pixels, 3)
        widths = [quarter] * len(self.body) + [half, half, pixels]
        self.norms = nn.ModuleList([StyleNorm(width) for width in widths])

    def forward(self, x: Tensor, bottleneck: Tensor) -> Tensor:
        """Paint frames; see `Student.forward`."""
        norms = iter(self.norms)

        def norm(x: Tensor) -> Tensor:
            return next(norms)(x, bottleneck)

        x = F.relu(self.down(F.relu(self.enter(space_to_depth(x, self.BLOCK)))))
        for first, second in zip(self.body[::2], self.body[1::2], strict=True):
            x = x + norm(second(F.relu(norm(first(x)))))
        x = F.relu(norm(self.up(upsample(x))))
        x = F.relu(norm(self.refine(x)))
        return depth_to_space(torch.sigmoid(norm(self.leave(x))), self.BLOCK)


STUDENTS: dict[str, Callable[[], Student]] = {"mobile": Mobile, "live": Live}
"""The shapes by their names."""


def make(name: str, seed: int = 0) -> Student:
    """Make a student with random weights; each style's gamma starts at 1 and beta at 0.

    Args:
        name: A key of `STUDENTS`.
        seed: Of the weights.

    Raises:
        ValueError: There is no such student.
    """
    if name not in STUDENTS:
        raise ValueError(f"there is no student {name!r}: {', '.join(STUDENTS)}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        student = STUDENTS[name]()
    with torch.no_grad():
        for module in student.modules():
            if isinstance(module, StyleNorm):
                module.gamma.weight.mul_(0.1)
                module.beta.weight.mul_(0.1)
                module.gamma.bias.fill_(1.0)
                module.beta.bias.zero_()
    return student


def load_state(student: nn.Module, state: State) -> None:
    """Copy the arrays of a checkpoint into a student.

    Raises:
        ValueError: Names or shapes differ.
    """
    try:
        student.load_state_dict({name: torch.tensor(values) for name, values in state.items()})
    except RuntimeError as exc:
        raise ValueError("the checkpoint does not fit the student") from exc


def state_of(student: nn.Module) -> State:
    """Return a student's parameters as arrays; on a CPU they share its memory."""
    return {name: each.detach().cpu().numpy() for name, each in student.state_dict().items()}


def student_of(checkpoint: Checkpoint) -> Student:
    """Make the student with the averaged weights of a checkpoint."""
    student = make(checkpoint.settings.student)
    load_state(student, checkpoint.average)
    student.eval()
    return student


def packaged(weights: Weights) -> Mobile:
    """Make the packaged network.

    Args:
        weights: What `onnx_weights.read_mobile` gave.
    """
    student = Mobile()
    load_state(student, packaged_state(weights))
    return student
