/*
 * json_text.c -- decimals of scale 18 and RFC 3339 times, without locale and without float.
 */
#include "json_text.h"

#include <stdio.h>

#define SCALE 18
#define DIGITS_MAX 39
#define SECOND_US INT64_C(1000000)
#define DAY_S INT64_C(86400)
#define DAYS_OF_400_YEARS INT64_C(146097)
/* From 0000-03-01 to 1970-01-01. */
#define EPOCH_DAYS INT64_C(719468)

/* 10^38 */
static mr_i128 decimal_end(void)
{
    return (mr_i128)UINT64_C(10000000000000000000) * (mr_i128)UINT64_C(10000000000000000000);
}

void mr_json_decimal_format(mr_i128 atoms, char text[MR_JSON_DECIMAL_BYTES])
{
    char digits[DIGITS_MAX];
    mr_u128 rest = atoms < 0 ? 0 - (mr_u128)atoms : (mr_u128)atoms;
    size_t count = 0;
    size_t at = 0;
    size_t zeros = 0;

    /* Least digit first, at least one before the point. */
    while (rest > 0 || count <= SCALE) {
        digits[count++] = (char)('0' + (int)(rest % 10));
        rest /= 10;
    }
    while (zeros < SCALE && digits[zeros] == '0') {
        zeros++;
    }
    if (atoms < 0) {
        text[at++] = '-';
    }
    while (count > zeros) {
        if (count == SCALE) {
            text[at++] = '.';
        }
        text[at++] = digits[--count];
    }
    text[at] = '\0';
}

bool mr_json_decimal_parse(const char *text, mr_i128 *atoms)
{
    const bool negative = *text == '-';
    const char *at = negative ? text + 1 : text;
    mr_i128 value = 0;
    int behind = -1; /* digits behind the point; -1 before it */
    bool digit_last = false;

    for (; *at != '\0'; at++) {
        if (*at == '.' && behind < 0 && digit_last) {
            behind = 0;
            digit_last = false;
            continue;
        }
        if (*at < '0' || *at > '9' || behind == SCALE || value >= decimal_end() / 10) {
            return false;
        }
        value = value * 10 + (*at - '0');
        behind += behind >= 0 ? 1 : 0;
        digit_last = true;
    }
    if (!digit_last) {
        return false;
    }
    for (int i = behind < 0 ? 0 : behind; i < SCALE; i++) {
        if (value >= decimal_end() / 10) {
            return false;
        }
        value *= 10;
    }
    *atoms = negative ? -value : value;
    return true;
}

/* Division that rounds down. */
static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0 ? 1 : 0);
}

bool mr_json_time_format(int64_t us, char text[MR_JSON_TIME_BYTES])
{
    const int64_t seconds = floor_div(us, SECOND_US);
    const int64_t days = floor_div(seconds, DAY_S);
    const int64_t second = seconds - days * DAY_S;
    /* Years that begin in March, so that the leap day is the last of its year. */
    const int64_t shifted = days + EPOCH_DAYS;
    const int64_t era = floor_div(shifted, DAYS_OF_400_YEARS);
    const int64_t day_of_era = shifted - era * DAYS_OF_400_YEARS;
    const int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const int64_t month_index = (5 * day_of_year + 2) / 153;
    const int64_t day = day_of_year - (153 * month_index + 2) / 5 + 1;
    const int64_t month = month_index < 10 ? month_index + 3 : month_index - 9;
    const int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);

    if (year < 0 || year > 9999) {
        return false;
    }
    (void)snprintf(text, MR_JSON_TIME_BYTES, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", (int)year,
                   (int)month, (int)day, (int)(second / 3600), (int)(second / 60 % 60),
                   (int)(second % 60), (int)(us - seconds * SECOND_US));
    return true;
}

/* count digits at *text, which moves behind them. */
static bool take_digits(const char **text, int count, int64_t *out)
{
    *out = 0;
    for (int i = 0; i < count; i++) {
        if (**text < '0' || **text > '9') {
            return false;
        }
        *out = *out * 10 + (**text - '0');
        (*text)++;
    }
    return true;
}

static bool take_char(const char **text, char want)
{
    if (**text != want) {
        return false;
    }
    (*text)++;
    return true;
}

static int64_t days_in_month(int64_t year, int64_t month)
{
    static const int8_t DAYS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return month == 2 && leap ? 29 : DAYS[month - 1];
}

static int64_t days_from_date(int64_t year, int64_t month, int64_t day)
{
    const int64_t y = month <= 2 ? year - 1 : year;
    const int64_t era = floor_div(y, 400);
    const int64_t year_of_era = y - era * 400;
    const int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    return era * DAYS_OF_400_YEARS + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
           day_of_year - EPOCH_DAYS;
}

/* ".5", ".123456" or nothing. */
static bool take_fraction(const char **text, int64_t *us)
{
    int digits = 0;

    *us = 0;
    if (!take_char(text, '.')) {
        return true;
    }
    while (digits < 6 && **text >= '0' && **text <= '9') {
        *us = *us * 10 + (**text - '0');
        (*text)++;
        digits++;
    }
    for (int i = digits; i < 6; i++) {
        *us *= 10;
    }
    return digits > 0;
}

bool mr_json_time_parse(const char *text, int64_t *us)
{
    int64_t year = 0;
    int64_t month = 0;
    int64_t day = 0;
    int64_t hour = 0;
    int64_t minute = 0;
    int64_t second = 0;
    int64_t fraction_us = 0;

    if (!take_digits(&text, 4, &year) || !take_char(&text, '-') || !take_digits(&text, 2, &month) ||
        !take_char(&text, '-') || !take_digits(&text, 2, &day) || !take_char(&text, 'T') ||
        !take_digits(&text, 2, &hour) || !take_char(&text, ':') ||
        !take_digits(&text, 2, &minute) || !take_char(&text, ':') ||
        !take_digits(&text, 2, &second) || !take_fraction(&text, &fraction_us) ||
        strcmp(text, "Z") != 0) {
        return false;
    }
    if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) || hour > 23 ||
        minute > 59 || second > 59) {
        return false;
    }
    *us = (days_from_date(year, month, day) * DAY_S + hour * 3600 + minute * 60 + second) *
              SECOND_US +
          fraction_us;
    return true;
}
