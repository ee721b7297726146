from live_nst.styles.builtin import builtin_image_path, builtin_styles
from live_nst.styles.image import read_style_image


def test_at_least_eight_styles_with_descriptions() -> None:
    styles = builtin_styles()

    assert len(styles) >= 8
    assert {"starry", "wave", "mosaic", "ink", "candy"} <= set(styles)
    assert all(line and "\n" not in line for line in styles.values())


def test_every_style_has_an_image() -> None:
    for name in builtin_styles():
        assert min(read_style_image(builtin_image_path(name)).shape[:2]) >= 256
