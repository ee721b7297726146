import numpy as np
import pytest

from live_nst.bench.flops import (
    matmul_flops,
    matmul_name,
    openvino_matmuls,
    peak_flops,
    tensorflow_matmuls,
)

SMALL = ((8, 16, 32), (16, 16, 16))


def test_the_fastest_shape_counts_by_its_median() -> None:
    times = {
        "float32 8x16x32": [1e-3, 2e-3, 100.0],
        "float32 16x16x16": [1e-3, 4e-3, 4e-3],
        "bfloat16 8x16x32": [1e-9],
        "something else": [1.0],
    }
    flops, shape = peak_flops("float32", times, SMALL)
    assert shape == (8, 16, 32)
    assert flops == pytest.approx(2 * 8 * 16 * 32 / 2e-3)


def test_a_product_is_a_multiplication_and_an_addition_each() -> None:
    assert matmul_flops((10, 20, 30)) == 12_000


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_openvino_really_multiplies(precision: str) -> None:
    calls = openvino_matmuls(precision, SMALL, threads=1)
    assert list(calls) == [matmul_name(precision, shape) for shape in SMALL]
    (product,) = calls[f"{precision} 8x16x32"]().values()  # type: ignore[attr-defined]
    assert product.shape == (8, 32)
    assert 1.0 < np.mean(product) < 7.0  # sixteen products of two numbers from 0 to 1: 4


def test_tensorflow_really_multiplies() -> None:
    calls = tensorflow_matmuls("CPU:0", "float32", SMALL)
    assert 0.0 < calls["float32 8x16x32"]() < 16.0  # type: ignore[operator]
