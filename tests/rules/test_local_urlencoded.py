"""A form body is decoded in pieces, and as the standard library decodes it whole."""

from __future__ import annotations

from unittest import mock
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redcap_local.wire import urlencoded

BYTES = st.lists(
    st.sampled_from([b"a", b"%", b"%C3%A6", b"%2", b"%zz", b"+", b"&", b"=", b"\xff", "ø".encode(), b"%00"])
)


@given(BYTES, st.integers(3, 9))
def test_pieces_give_what_the_whole_gives(parts: list[bytes], piece: int) -> None:
    """Also where an escape, a letter of two bytes or what is none of both lies on the seam."""
    body = b"".join(parts)
    whole = parse_qsl(body.decode("utf-8", "surrogateescape"), keep_blank_values=True, errors="surrogateescape")
    with mock.patch.object(urlencoded, "_PIECE", piece):
        assert list(urlencoded.pairs(body)) == whole


@pytest.mark.parametrize("size", [0, 1, 2**20 - 1, 2**20, 2**20 + 1, 3 * 2**20])
def test_a_value_of_any_size_comes_whole(size: int) -> None:
    """Around the size of a piece."""
    assert list(urlencoded.pairs(b"data=" + b"%41" * size)) == [("data", "A" * size)]
