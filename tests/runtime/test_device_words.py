import pytest

from live_nst.errors import UsageError
from live_nst.runtime.device_words import check_device, describe_device, gpu_number, gpu_word


@pytest.mark.parametrize("word", ["auto", "cpu", "gpu", "gpu:1", "gpu:12", "npu"])
def test_words(word: str) -> None:
    assert check_device(word) == word


def test_first_gpu_has_two_names() -> None:
    assert check_device("gpu:0") == check_device("gpu:00") == "gpu"
    assert check_device("gpu:01") == "gpu:1"


@pytest.mark.parametrize(
    "text",
    ["", "tpu", "gpu1", "gpu:", "gpu:-1", "gpu:a", "cpu:0", "npu:1", "GPU", "gpu:100", "gpu\n"],
)
def test_invalid(text: str) -> None:
    with pytest.raises(UsageError, match="Invalid device") as caught:
        check_device(text)
    assert "gpu:1" in caught.value.hint


def test_numbers() -> None:
    assert [gpu_number(word) for word in ("gpu", "gpu:1", "gpu:12")] == [0, 1, 12]
    assert [gpu_word(number) for number in (0, 1, 12)] == ["gpu", "gpu:1", "gpu:12"]


def test_describe() -> None:
    assert [describe_device(word) for word in ("cpu", "gpu:1", "npu")] == ["CPU", "GPU 1", "NPU"]
