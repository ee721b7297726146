"""HDR to BT.709 once more: the formulas of the ITU-R in plain Python, for one color at a time."""

from math import exp

Color = tuple[float, float, float]

M1, M2 = 0.1593017578125, 78.84375
C1, C2, C3 = 0.8359375, 18.8515625, 18.6875

# From linear BT.2020 to linear BT.709 (ITU-R BT.2087-0, inverted), rounded to four places.
TO_BT709 = (
    (1.6605, -0.5876, -0.0728),
    (-0.1246, 1.1329, -0.0083),
    (-0.0182, -0.1006, 1.1187),
)
WHITE = 203.0


def pq_eotf(signal: float) -> float:
    """Light in cd/m2."""
    power = signal ** (1 / M2)
    return 10000 * (max(power - C1, 0) / (C2 - C3 * power)) ** (1 / M1)


def pq_inverse_eotf(light: float) -> float:
    power = (light / 10000) ** M1
    return ((C1 + C2 * power) / (1 + C3 * power)) ** M2


def hlg_inverse_oetf(signal: float) -> float:
    if signal <= 1 / 2:
        return signal * signal / 3
    return (exp((signal - 0.55991073) / 0.17883277) + 0.28466892) / 12


def hlg_ootf(scene: Color) -> Color:
    """Light in cd/m2 of a display of 1000 cd/m2."""
    luminance = 0.2627 * scene[0] + 0.6780 * scene[1] + 0.0593 * scene[2]
    gain = 1000 * luminance**0.2 if luminance > 0 else 0.0
    return scene[0] * gain, scene[1] * gain, scene[2] * gain


def eetf(light: float, peak: float) -> float:
    """BT.2390, section 5.4.1, from a display of `peak` to one of 203 cd/m2, true black.

    But the knee is lower, and the slope at the end is not 0.
    """
    largest = pq_inverse_eotf(peak)
    e1 = min(pq_inverse_eotf(light) / largest, 1.0)
    max_lum = pq_inverse_eotf(WHITE) / largest
    ks = 1.75 * max_lum - 0.75
    if e1 < ks:
        e2 = e1
    else:
        t = (e1 - ks) / (1 - ks)
        e2 = (2 * t**3 - 3 * t**2 + 1) * ks
        e2 += (t**3 - 2 * t**2 + t) * (1 - ks)
        e2 += (-2 * t**3 + 3 * t**2) * max_lum
        e2 += (t**3 - t**2) * (1 - ks) / 7
    return pq_eotf(e2 * largest)


def in_bt709(linear: Color) -> Color:
    """The color moved toward gray, from 80 percent of saturation on."""
    gray = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    if gray <= 0:
        return 0.0, 0.0, 0.0
    saturation = (gray - min(linear)) / gray
    if saturation <= 0.8:
        return linear
    over = min(saturation, 2.23) - 0.8
    limited = 0.8 + over / (1 + over * (1 / 0.2 - 1 / 1.43))
    red, green, blue = (gray + (value - gray) * limited / saturation for value in linear)
    return red, green, blue


def sdr(signal: Color, transfer: str, peak: float = 1000.0) -> Color:
    """Encoded BT.709, 0 to 1, of encoded BT.2020, 0 to 1."""
    if transfer == "PQ":
        red, green, blue = (pq_eotf(value) for value in signal)
    else:
        red, green, blue = hlg_ootf(tuple(hlg_inverse_oetf(value) for value in signal))  # type: ignore[arg-type]
    linear = tuple(row[0] * red + row[1] * green + row[2] * blue for row in TO_BT709)
    linear = in_bt709(linear)  # type: ignore[arg-type]
    brightest = max(linear)
    if brightest <= 0:
        return 0.0, 0.0, 0.0
    gain = eetf(brightest, peak) / brightest / WHITE
    red, green, blue = (max(value * gain, 0) ** (1 / 2.4) for value in linear)
    return red, green, blue


def codes(signal: Color) -> tuple[int, int, int]:
    """Y, Cb and Cr of encoded BT.2020, in limited range with 10 bits."""
    luma = 0.2627 * signal[0] + 0.6780 * signal[1] + 0.0593 * signal[2]
    blue, red = (signal[2] - luma) / 1.8814, (signal[0] - luma) / 1.4746
    return round(64 + 876 * luma), round(512 + 896 * blue), round(512 + 896 * red)
