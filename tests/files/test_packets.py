"""Packets for decoders have zeros behind them."""

import ctypes

import pytest

from live_nst.files.packets import PADDING, packet_of


@pytest.mark.parametrize("length", [1, 31, 512, 4097])
def test_zeros_lie_behind_the_bytes_of_a_packet(length: int) -> None:
    data = bytes(range(1, 256)) * 20
    packet = packet_of(data[:length])

    assert bytes(packet) == data[:length]
    assert packet.size == length
    behind = ctypes.string_at(packet.buffer_ptr + length, PADDING)
    assert behind == bytes(PADDING)
