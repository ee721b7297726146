"""Memory for pictures that comes back by itself."""

from live_nst.conversion.video.image_pool import ImagePool


def address(picture) -> int:
    return picture.__array_interface__["data"][0]


def test_memory_comes_back_when_nothing_refers_to_it() -> None:
    pool = ImagePool((6, 4))
    first = pool()
    assert first.shape == (4, 6, 3) and first.flags.writeable
    place = address(first)
    part = first[::2, 1:][:1]
    del first
    assert address(pool()) != place  # a view of a view is still in use
    del part
    assert address(pool()) == place


def test_no_two_pictures_share_memory() -> None:
    pool = ImagePool((6, 4))
    pictures = [pool() for _ in range(5)]
    for number, picture in enumerate(pictures):
        picture[:] = number
    assert [int(picture.max()) for picture in pictures] == [0, 1, 2, 3, 4]
    places = {address(picture) for picture in pictures}
    del picture
    pictures.clear()
    assert {address(picture) for picture in [pool() for _ in range(5)]} == places
