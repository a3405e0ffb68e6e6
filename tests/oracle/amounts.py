"""Amounts as whole numbers of atoms (10^-18), and times as microseconds.

Source: domain reference, section 3 (money): scale 18, 38 digits, nothing rounds or wraps unnoticed.
Python's integers have no bound, so every bound of the rules is asked for here by name.
"""

import functools

SCALE = 18
ONE = 10 ** SCALE
MAX = 10 ** 38 - 1
BUSINESS_LIMIT = 10 ** 16 * ONE
MINUTE_US = 60 * 10 ** 6
DAY_US = 24 * 60 * MINUTE_US
DAYS_TO_1970 = 719468  # from 0000-03-01


class OutOfRange(Exception):
    """A result that the wire cannot hold, or that would have lost atoms."""


@functools.lru_cache(maxsize=1 << 16)
def atoms(text):
    whole, _, fraction = text.partition(".")
    return int(whole + fraction.ljust(SCALE, "0"))


def text_of(value):
    """Canonical text: no trailing zeros, no point without decimals."""
    digits = str(abs(value)).rjust(SCALE + 1, "0")
    fraction = digits[-SCALE:].rstrip("0")
    text = digits[:-SCALE] + ("." + fraction if fraction else "")
    return "-" + text if value < 0 else text


def optional(text):
    return None if text is None else atoms(text)


def in_range(value):
    """The value, when 38 digits hold it."""
    if -MAX <= value <= MAX:
        return value
    raise OutOfRange()


def product(a, b):
    """a x b, exactly."""
    quotient, rest = divmod(a * b, ONE)
    if rest != 0:
        raise OutOfRange()
    return in_range(quotient)


def product_floor(a, b):
    return in_range(a * b // ONE)


def product_ceil(a, b):
    return in_range(ceil_div(a * b, ONE))


def ceil_div(a, b):
    return -(-a // b)


def floor_to(value, step):
    return in_range(value - value % step)


def ceil_to(value, step):
    return in_range(value + -value % step)


def share(a, part, whole):
    """a x part / whole, towards zero."""
    value = abs(a) * abs(part) // abs(whole)
    return in_range(-value if (a < 0) ^ (part < 0) ^ (whole < 0) else value)


def half_even(numerator, denominator):
    """numerator / denominator as a whole number; a tie goes to the even one. denominator > 0."""
    quotient, rest = divmod(numerator, denominator)
    if 2 * rest > denominator or (2 * rest == denominator and quotient % 2 == 1):
        quotient += 1
    return in_range(quotient)


# ---- times ---------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=4096)
def day_start(date):
    """Microseconds of midnight, of a date like 2024-08-08; any year of four digits."""
    year, month, day = int(date[:4]), int(date[5:7]), int(date[8:10])
    year -= month <= 2
    era, year_of_era = divmod(year, 400)
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    return (era * 146097 + day_of_era - DAYS_TO_1970) * DAY_US


@functools.lru_cache(maxsize=1 << 14)
def micros(value):
    """A timestamp of a dump: text like 2024-08-08T00:00:00.000000Z, or the number beyond year 9999."""
    if isinstance(value, int):
        return value
    seconds = int(value[11:13]) * 3600 + int(value[14:16]) * 60 + int(value[17:19])
    fraction = value[20:-1]
    return day_start(value[:10]) + seconds * 10 ** 6 + int(fraction.ljust(6, "0"))


@functools.lru_cache(maxsize=4096)
def date_text(days):
    era, day_of_era = divmod(days + DAYS_TO_1970, 146097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month_index = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * month_index + 2) // 5 + 1
    month = month_index + 3 if month_index < 10 else month_index - 9
    year = year_of_era + era * 400 + (month <= 2)
    return f"{year:04d}-{month:02d}-{day:02d}" if 0 <= year <= 9999 else None


def time_of(us):
    """The reverse of micros."""
    days, rest = divmod(us, DAY_US)
    date = date_text(days)
    if date is None:
        return us
    seconds, fraction = divmod(rest, 10 ** 6)
    return f"{date}T{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{fraction:06d}Z"
