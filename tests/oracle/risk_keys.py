"""Keys of risk's stores, and the user that stands for all."""

from records import key_text, text_bytes
from stage import Poison

ALL_USERS = "*"
KEY_BYTES_MAX = 1024


def order_key(order_id):
    if not 0 < len(text_bytes(order_id)) <= KEY_BYTES_MAX:
        raise Poison("MALFORMED", "orderId is empty or too long")
    return key_text(order_id)


def pair_key(user, name, what):
    """(userId, another name) as the key of a store."""
    key = text_bytes(user) + b"\0" + text_bytes(name) + b"\0"
    if len(key) > 512:
        raise Poison("MALFORMED", f"userId and {what} are too long")
    return key.decode("latin-1")
