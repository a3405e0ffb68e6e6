/*
 * Goal: every kind of order and command beyond the plain ones, from its first report to its last.
 * Method: tables of scenarios in one line (fill_script.h) with the whole tape that they must give.
 *         After each, memory is made again from the stores and must be what it was, and the
 *         reports of every order must add up (fill_memory.h).
 */
#include "fill_memory.h"

struct scenario {
    const char *steps;
    const char *tape;
    const char *why;
};

static void play(const struct scenario *scenario)
{
    struct script script;
    char *tape = NULL;

    script_open(&script);
    script_play(&script, scenario->steps);
    tape = script_tape(&script);
    ck_assert_msg(strcmp(tape, scenario->tape) == 0, "%s:\n  %s\n  is      %s\n  should be %s",
                  scenario->why, scenario->steps, tape, scenario->tape);
    check_all_reports(script.driver);
    memory_survives_a_restart(script.driver, scenario->why);
    free(tape);
    script_close(&script);
}

/* A trade at 100, so that there is a last price. */
#define LAST_100 "m u8 S 1@100; t u9 B 1@100; "
#define LAST_100_TAPE "m+ t+ m>t:1@100"

static const struct scenario stops[] = {
    {"a u1 B 1@110 stop:105", "a+", "without a last price a stop waits"},
    {LAST_100 "a u1 B 1@110 stop:100", LAST_100_TAPE " a!4105", "a buy at the last price"},
    {LAST_100 "a u1 B 1@110 stop:100.01", LAST_100_TAPE " a+", "a buy a tick above"},
    {LAST_100 "a u1 S 1@90 stop:100", LAST_100_TAPE " a!4105", "a sell at the last price"},
    {LAST_100 "a u1 S 1@90 stop:99.99", LAST_100_TAPE " a+", "a sell a tick below"},
    {LAST_100 "a u1 B 1@110 stop:101; b u2 S 1@100.5; c u3 B 1@100.5",
     LAST_100_TAPE " a+ b+ c+ b>c:1@100.5", "a trade below the stop price of a buy"},
    {LAST_100 "a u1 B 2@110 stop:101; b u2 S 2@101; c u3 B 1@101",
     LAST_100_TAPE " a+ b+ c+ b>c:1@101 a^ b>a:1@101",
     "a trade at it; what a STOP_LIMIT could not get rests"},
    {LAST_100 "a u1 B 2@110 stop:101; b u2 S 2@101; c u3 B 1@101; d u2 S 1@110",
     LAST_100_TAPE " a+ b+ c+ b>c:1@101 a^ b>a:1@101 d+ a>d:1@110", "and makes from then on"},
    {LAST_100 "a u1 B 2@110 stop:101 mkt; b u2 S 2@101; c u3 B 1@101",
     LAST_100_TAPE " a+ b+ c+ b>c:1@101 a^ b>a:1@101 a-INSUFFICIENT_LIQUIDITY",
     "a STOP never rests"},
    {LAST_100 "a u1 B 2@105 stop:101 mkt; b u2 S 1@101; d u2 S 5@106; c u3 B 1@101",
     LAST_100_TAPE " a+ b+ d+ c+ b>c:1@101 a^ a-PRICE_RANGE", "a STOP ends at its collar"},
    {LAST_100 "a u1 S 1@90 stop:95 ioc; b u2 B 1@95; c u3 S 1@95",
     LAST_100_TAPE " a+ b+ c+ b>c:1@95 a^ a-IOC", "a STOP_LIMIT follows its time in force"},
    {LAST_100 "a u1 S 2@90 stop:95 fok; b u2 B 2@95; c u3 S 1@95",
     LAST_100_TAPE " a+ b+ c+ b>c:1@95 a^ a-FOK", "FOK too"},
    {LAST_100 "a u1 B 1@120 stop:103; b u2 B 1@120 stop:102; c u3 B 1@120 stop:102; "
              "d u4 S 9@105; e u5 B 1@105",
     LAST_100_TAPE " a+ b+ c+ d+ e+ d>e:1@105 b^ d>b:1@105 c^ d>c:1@105 a^ d>a:1@105",
     "buys from the lowest stop price up, equal ones by arrival"},
    {LAST_100 "a u1 S 1@80 stop:96; b u2 S 1@80 stop:97; d u4 B 9@95; e u5 S 1@95",
     LAST_100_TAPE " a+ b+ d+ e+ d>e:1@95 b^ d>b:1@95 a^ d>a:1@95", "sells from the highest down"},
    {LAST_100 "s u1 S 1@90 stop:99; b u2 B 1@110 stop:101; x u3 B 1@99; y u3 S 1@101; "
              "k u4 B 2@101 none; l u5 S 1@98",
     LAST_100_TAPE " s+ b+ x+ y+ k+ y>k:1@101 b^ l+ b>l:1@110",
     "a buy is triggered by a price above; it rests and the next seller meets it"},
    {LAST_100 "a u1 S 1@50 stop:95; b u2 S 1@50 stop:90; c u3 S 1@50 stop:85; "
              "p u4 B 1@95; q u4 B 1@90; r u4 B 1@85; s u4 B 1@80; t2 u5 S 1@95",
     LAST_100_TAPE " a+ b+ c+ p+ q+ r+ s+ t2+ p>t2:1@95 a^ q>a:1@90 b^ r>b:1@85 c^ s>c:1@80",
     "a cascade runs until none is due"},
    {LAST_100 "a u1 S 1@50 stop:95 mkt; b u2 S 1@50 stop:95 mkt; c u3 S 1@50 stop:94 mkt; "
              "p u4 B 1@95; q u4 B 1@94; r u4 B 1@93; s u4 B 1@92; t2 u5 S 1@95",
     LAST_100_TAPE " a+ b+ c+ p+ q+ r+ s+ t2+ p>t2:1@95 a^ q>a:1@94 b^ r>b:1@93 c^ s>c:1@92",
     "what a triggered stop triggers goes behind what was queued before"},
    {LAST_100 "a u1 B 1@110 stop:105; cancel a u1; b u2 S 1@105; c u3 B 1@105",
     LAST_100_TAPE " a+ a-USER b+ c+ b>c:1@105", "a stop that waits can be canceled"},
    {LAST_100 "a u1 B 1@110 stop:105; cancel a u2", LAST_100_TAPE " a+ x1!4201", "not by others"},
    {LAST_100 "a u1 B 1@110 stop:105; a u1 B 1@90", LAST_100_TAPE " a+ a!4102",
     "the id of a stop that waits is taken"},
    {LAST_100 "a u1 B 1@110 stop:105; restart; b u2 S 2@105; c u3 B 1@105",
     LAST_100_TAPE " a+ b+ c+ b>c:1@105 a^ b>a:1@105",
     "a stop and the last price survive a restart"},
    {LAST_100 "a u1 B 1@110 stop:105; state HALT; state TRADING; b u2 S 2@105; c u3 B 1@105",
     LAST_100_TAPE " a+ b+ c+ b>c:1@105 a^ b>a:1@105", "and a halt"},
    {LAST_100 "a u1 B 1@110 stop:105; b u1 S 1@105; c u3 B 1@105",
     LAST_100_TAPE " a+ b+ c+ b>c:1@105 a^", "triggered with nothing on the other side it rests"},
    {LAST_100 "a u1 B 2@110 stop:105 maker; b u1 S 2@105; c u3 B 1@105",
     LAST_100_TAPE " a+ b+ c+ b>c:1@105 a^ b-STP",
     "a triggered stop is a taker: its self-trade mode counts"},
};

START_TEST(a_stop_waits_and_triggers)
{
    play(&stops[_i]);
}
END_TEST

static const struct scenario expiries[] = {
    {"a u1 B 1@100 gtd:5; at 4; b u2 S 1@100", "a+ b+ a>b:1@100", "before its end it trades"},
    {"a u1 B 1@100 gtd:5; at 5; b u2 S 1@100", "a+ a-GTD b+", "at its end it is gone first"},
    {"a u1 B 1@100 gtd:5; at 9; cancel a u1", "a+ a-GTD x1!4201", "too late to cancel it"},
    {"a u1 B 1@100 gtd:5; at 9; amend a u1 2", "a+ a-GTD x1!4201", "or to amend it"},
    {"a u1 B 1@100 gtd:5; tick 4; tick 5", "a+ a-GTD", "a timer is time too"},
    {"a u1 B 1@100 gtd:5; at 6; state HALT", "a+ a-GTD", "and an instrument"},
    {"state HALT; at 6; state TRADING; a u1 B 1@100 gtd:6", "a!1145", "an end that has come"},
    {"a u1 B 1@100 gtd:9; state HALT; tick 9", "a+ a-GTD", "orders end in a halt"},
    {"a u1 B 1@100 gtd:7; b u1 B 1@99 gtd:6; c u1 B 1@98 gtd:6; tick 7",
     "a+ b+ c+ b-GTD c-GTD a-GTD", "by expiry, then by arrival"},
    {"a u1 B 1@100 gtd:5; b u2 S 1@100; c u1 B 1@100; at 6; d u2 S 1@100",
     "a+ b+ a>b:1@100 c+ d+ c>d:1@100", "what is filled does not expire"},
    {"a u1 B 1@100 gtd:5; cancel a u1; a u1 B 1@100; tick 6", "a+ a-USER a+",
     "nor does the next order of its id"},
    {"a u1 B 3@100 gtd:5; amend a u1 2@99; tick 4; tick 5", "a+ a=2@99 a-GTD",
     "an amended order keeps its end"},
    {"a u1 B 1@110 stop:105 gtd:5; tick 5", "a+ a-GTD", "a stop that waits"},
    {"a u1 B 1@110 stop:105 gtd:5 mkt; at 5; b u2 S 1@105; c u3 B 1@105",
     "a+ a-GTD b+ c+ b>c:1@105", "is not triggered after its end"},
    {"a u1 B 1@110 stop:105 gtd:5; b u2 S 1@105; c u3 B 1@105; tick 5",
     "a+ b+ c+ b>c:1@105 a^ a-GTD", "triggered and resting it ends too"},
    {"a u1 B 1@100 gtd:5; restart; tick 5", "a+ a-GTD", "ends survive a restart"},
    {"a u1 B 1@100 gtd:5 post; tick 5", "a+ a-GTD", "post-only takes GTD"},
    {"at 9; b u1 B 1@90; at 3; a u1 B 1@100 gtd:5", "b+ a!1145", "time does not turn back"},
    {"a u1 B 1@100 gtd:5; at 9; m u2 S 1@90 gtd:20; at 2; c u1 B 1@90", "a+ a-GTD m+ c+ m>c:1@90",
     "a command that comes late meets the book of its turn"},
};

START_TEST(an_order_with_an_end_expires)
{
    play(&expiries[_i]);
}
END_TEST

static const struct scenario amendments[] = {
    {"a u1 B 3@100; b u2 B 1@100; amend a u1 2; c u3 S 1@100", "a+ b+ a=2@100 c+ a>c:1@100",
     "a quantity that is lowered keeps its place"},
    {"a u1 B 3@100; b u2 B 1@100; amend a u1 2@100; c u3 S 1@100", "a+ b+ a=2@100 c+ a>c:1@100",
     "also when the same price is said again"},
    {"a u1 B 3@100; b u2 B 1@100; amend a u1 4; c u3 S 1@100", "a+ b+ a=4@100 c+ b>c:1@100",
     "raised it goes to the end"},
    {"a u1 B 3@100; b u2 B 1@100; amend a u1 3; c u3 S 1@100", "a+ b+ a=3@100 c+ b>c:1@100",
     "and when nothing changes"},
    {"a u1 B 3@99; b u2 B 1@100; amend a u1 @100; c u3 S 1@100", "a+ b+ a=3@100 c+ b>c:1@100",
     "a new price, behind who was there"},
    {"a u1 B 3@99; b u2 B 1@98; amend a u1 2@98; c u3 S 1@98", "a+ b+ a=2@98 c+ b>c:1@98",
     "lower and cheaper is a new price"},
    {"a u1 B 1@100; b u2 S 1@105; amend a u1 @105", "a+ b+ a=1@105 b>a:1@105",
     "one that crosses trades at once"},
    {"a u1 B 3@100; b u2 S 1@105; amend a u1 @105; c u3 S 2@104",
     "a+ b+ a=3@105 b>a:1@105 c+ a>c:2@105", "and rests with the rest"},
    {"a u1 B 3@100; b u2 S 1@100; amend a u1 1", "a+ b+ a>b:1@100 a-USER",
     "a total that is traded already ends it"},
    {"a u1 B 3@100; b u2 S 1@100; amend a u1 1.1; c u3 S 1@100",
     "a+ b+ a>b:1@100 a=1.1@100 c+ a>c:0.1@100", "a lot more leaves a lot"},
    {"a u1 B 3@100; b u2 S 2@100; amend a u1 1@200", "a+ b+ a>b:2@100 a-USER",
     "less than traded, at any price"},
    {"a u1 B 1@100; amend a u2 2", "a+ x1!4201", "somebody else's"},
    {"a u1 B 1@100; amend b u1 2", "a+ x1!4201", "unknown"},
    {"a u1 B 1@100; b u2 S 1@100; amend a u1 2", "a+ b+ a>b:1@100 x1!4201", "over"},
    {"a u1 B 1@100; amend a u1 0", "a+ x1!1132", "no quantity"},
    {"a u1 B 1@100; amend a u1 @0", "a+ x1!1132", "no price"},
    {"a u1 B 1@100; amend a u1 2 short:1", "a+ x1!3003", "an atom short: refused"},
    {"a u1 B 1@100; amend a u1 @101 short:1; b u2 S 1@100", "a+ x1!3003 b+ a>b:1@100",
     "and nothing has changed"},
    {"a u1 S 1@100; amend a u1 2 short:1", "a+ x1!3003", "a sell"},
    {"a u1 B 1@100 post; b u2 S 1@101; amend a u1 @101", "a+ b+ x1!4101",
     "post-only does not take"},
    {"a u1 B 1@100 post; b u2 S 1@101; amend a u1 @100.99; c u2 S 1@100.99",
     "a+ b+ a=1@100.99 c+ a>c:1@100.99", "a tick before it rests"},
    {"a u1 B 1@100 post; amend a u1 2; b u2 S 2@100", "a+ a=2@100 b+ a>b:2@100",
     "its quantity changes like others'"},
    {"a u1 B 2@110 stop:105; amend a u1 3@108; b u2 S 9@105; c u3 B 1@105",
     "a+ a=3@108 b+ c+ b>c:1@105 a^ b>a:3@105", "a STOP_LIMIT that waits takes both"},
    {"a u1 B 2@110 stop:105; d u4 B 1@110 stop:105; amend a u1 3; b u2 S 9@105; c u3 B 1@105",
     "a+ d+ a=3@110 b+ c+ b>c:1@105 a^ b>a:3@105 d^ b>d:1@105",
     "and keeps its place among the stops"},
    {"a u1 B 2@110 stop:105 mkt; amend a u1 3", "a+ a=3@0", "a STOP takes a quantity"},
    {"a u1 B 2@110 stop:105 mkt; amend a u1 @111", "a+ x1!1142", "and no price"},
    {"a u1 B 1@100; state POST_ONLY; amend a u1 2", "a+ x1!1152", "not in POST_ONLY"},
    {"a u1 B 1@100; state HALT; amend a u1 2", "a+ x1!1152", "not in a halt"},
    {"a u1 B 1@100; state BREAK; amend a u1 2", "a+ x1!1152", "not in a break"},
    {"a u1 B 1@100; state CANCEL_ONLY; amend a u1 2", "a+ x1!1152", "as it says"},
    {"a u1 B 1@100; state LIMIT_ONLY; amend a u1 2", "a+ a=2@100", "in LIMIT_ONLY"},
    {"a u1 B 1@100; b u1 S 1@105; amend a u1 @105", "a+ b+ a=1@105 a-STP", "an own order stops it"},
    {"a u1 B 3@100 gtd:9; b u1 S 1@105 none; amend a u1 @105 ; tick 9", "a+ b+ a=3@105 a-STP",
     "what ended does not expire"},
    {LAST_100 "s u5 B 1@120 stop:105; a u1 B 1@100; b u2 S 2@105; amend a u1 @105",
     LAST_100_TAPE " s+ a+ b+ a=1@105 b>a:1@105 s^ b>s:1@105",
     "an amendment's trade triggers stops"},
    {LAST_100 "range 0.9 1.1; a u1 B 3@100; b u2 S 1@110; c u2 S 1@111; amend a u1 @120",
     LAST_100_TAPE " a+ b+ c+ a=3@120 b>a:1@110 a-PRICE_RANGE", "the execution range bounds it"},
    {"a u1 B 3@100 dec; b u1 S 1@100 dec; amend a u1 1; c u2 S 1@100",
     "a+ b+ a~1 b~1 b-STP a-USER c+", "what was prevented is used up"},
};

START_TEST(an_amendment_changes_an_order)
{
    play(&amendments[_i]);
}
END_TEST

static const struct scenario cancels[] = {
    {"all u1", "x1!4201", "nothing to cancel"},
    {"a u1 B 1@100; b u2 B 1@99; c u1 S 1@105; d u1 B 1@98; all u1",
     "a+ b+ c+ d+ a-USER c-USER d-USER", "both sides by arrival, others' stay"},
    {"a u1 B 1@100; s u1 B 1@110 stop:105; b u1 B 1@99 gtd:9; all u1; tick 9",
     "a+ s+ b+ a-USER s-USER b-USER", "stops that wait too, at their turn"},
    {"s u1 B 1@110 stop:105; a u1 B 1@100; all u1 RISK", "s+ a+ s-RISK a-RISK", "risk says why"},
    {"a u1 B 1@100; b u1 B 1@99; amend a u1 2; all u1", "a+ b+ a=2@100 b-USER a-USER",
     "an amended order has arrived again"},
    {"a u1 B 1@100; all u1; all u1", "a+ a-USER x2!4201", "once"},
    {"a u1 B 1@100; state HALT; all u1", "a+ a-USER", "in every state"},
    {"a u1 B 1@100; restart; b u1 B 1@101; all u1", "a+ b+ a-USER b-USER", "after a restart"},
};

START_TEST(a_cancel_of_all_ends_a_users_orders)
{
    play(&cancels[_i]);
}
END_TEST

static const struct scenario preventions[] = {
    {"a u1 S 1@100; b u1 B 3@100 dec", "a+ b+ a~1 b~1 a-STP", "the smaller ends, the taker rests"},
    {"a u1 S 3@100; b u1 B 1@100 dec; c u2 B 2@100", "a+ b+ a~1 b~1 b-STP c+ a>c:2@100",
     "the maker keeps the rest and its place"},
    {"a u1 S 2@100; b u1 B 2@100 dec", "a+ b+ a~2 b~2 a-STP b-STP", "equal: both, the maker first"},
    {"o u2 S 1@99; a u1 S 1@100; p u2 S 1@101; b u1 B 3@101 dec",
     "o+ a+ p+ b+ o>b:1@99 a~1 b~1 a-STP p>b:1@101", "before and behind the own order it trades"},
    {"a u1 S 1@100; a2 u1 S 1@100; b u1 B 3@100 dec ioc",
     "a+ a2+ b+ a~1 b~1 a-STP a2~1 b~2 a2-STP b-IOC", "preventedQty is a sum"},
    {"a u1 S 1@100; b u1 B 1@100 dec fok", "a+ b+ b-FOK", "own orders are no liquidity for FOK"},
    {"a u1 S 1@100; b u1 B 3@110 mkt dec", "a+ b+ a~1 b~1 a-STP b-INSUFFICIENT_LIQUIDITY",
     "MARKET too"},
    {"a u1 S 1@100 gtd:9; b u1 B 3@100 dec; tick 9", "a+ b+ a~1 b~1 a-STP",
     "what ended does not expire"},
    {"a u1 S 3@100; b u1 B 1@100 dec; amend a u1 2; c u2 B 5@100",
     "a+ b+ a~1 b~1 b-STP a=2@100 c+ a>c:1@100", "an amended total includes what was prevented"},
    {"a u1 S 2@100; b u1 B $150@110 mkt dec; c u2 B 1@100", "a+ b+ a~1.5 b~0 b-STP c+ a>c:0.5@100",
     "an amount is lowered by price x quantity"},
    {"a u1 S 1@100; o u2 S 1@101; b u1 B $150@110 mkt dec", "a+ o+ b+ a~1 b~0 a-STP o>b:0.4@101",
     "and the rest of it trades"},
};

START_TEST(decrement_lowers_both)
{
    play(&preventions[_i]);
}
END_TEST

static const struct scenario amounts[] = {
    {"a u1 S 9@100; b u2 B $250@110 mkt", "a+ b+ a>b:2.5@100", "whole lots for the amount"},
    {"a u1 S 9@100; b u2 B $255@110 mkt", "a+ b+ a>b:2.5@100",
     "the rest is less than a lot: filled"},
    {"a u1 S 9@100; b u2 B $9.99@110 mkt", "a+ b+ b-INSUFFICIENT_LIQUIDITY",
     "less than a lot at all"},
    {"a u1 S 9@100; b u2 B $10@110 mkt", "a+ b+ a>b:0.1@100", "exactly a lot"},
    {"a u1 S 1@100; c u1 S 9@105; b u2 B $200@110 mkt", "a+ c+ b+ a>b:1@100 c>b:0.9@105",
     "over two levels"},
    {"a u1 S 1@100; c u1 S 9@105; b u2 B $110.2@110 mkt",
     "a+ c+ b+ a>b:1@100 b-INSUFFICIENT_LIQUIDITY",
     "a lot at the last price, less than one at the next"},
    {"a u1 S 1@100; b u2 B $500@110 mkt", "a+ b+ a>b:1@100 b-INSUFFICIENT_LIQUIDITY",
     "the book is empty"},
    {"b u2 B $500@110 mkt", "b+ b-INSUFFICIENT_LIQUIDITY", "from the beginning"},
    {"a u1 S 1@100; c u1 S 1@111; b u2 B $500@110 mkt", "a+ c+ b+ a>b:1@100 b-PRICE_RANGE",
     "the collar"},
    {"a u1 B 9@100; b u2 S $250@90 mkt", "a+ b+ a>b:2.5@100", "a sell takes an amount too"},
    {"a u1 B 1@100; c u1 B 9@90; b u2 S $190@90 mkt", "a+ c+ b+ a>b:1@100 c>b:1@90",
     "down to its collar"},
    {"a u1 B 9@100; b u2 S $105@90 mkt", "a+ b+ a>b:1@100", "what is left is less than a lot"},
    {"a u2 S 9@100; b u2 B $250@110 mkt", "a+ b+ b-STP", "an own order ends it"},
    {"a u2 S 1@100; c u1 S 9@101; b u2 B $202@110 mkt maker", "a+ c+ b+ a-STP c>b:2@101",
     "or is ended"},
    {"a u1 S 9@100; b u2 B $250@110 mkt short:1", "a+ b!3001", "an atom short"},
    {"a u1 S 9@100; b u2 B $250@110", "a+ b!1142", "only MARKET takes an amount"},
    {LAST_100 "s u5 B 1@120 stop:105; a u1 S 9@105; b u2 B $210@110 mkt",
     LAST_100_TAPE " s+ a+ b+ a>b:2@105 s^ a>s:1@105", "its trades trigger stops"},
};

START_TEST(an_amount_in_quote_buys_whole_lots)
{
    play(&amounts[_i]);
}
END_TEST

static const struct scenario ranges[] = {
    {"range 0.9 1.1; a u1 S 1@200; b u2 B 1@200", "a+ b+ a>b:1@200",
     "without a last price there is none"},
    {LAST_100 "range 0.9 1.1; a u1 S 1@110; b u2 B 1@110", LAST_100_TAPE " a+ b+ a>b:1@110",
     "the bound itself"},
    {LAST_100 "range 0.9 1.1; a u1 S 1@110.01; b u2 B 1@120", LAST_100_TAPE " a+ b+ b-PRICE_RANGE",
     "a tick beyond it; it does not rest"},
    {LAST_100 "range 0.9 1.1; a u1 S 1@110; c u1 S 1@111; b u2 B 3@120",
     LAST_100_TAPE " a+ c+ b+ a>b:1@110 b-PRICE_RANGE",
     "of the last price before the order, not of its own trades"},
    {LAST_100 "range 0.9 1.1; a u1 S 1@111; b u2 B 1@105", LAST_100_TAPE " a+ b+",
     "what stops at its limit before rests"},
    {LAST_100 "range 0.9 1.1; a u1 B 1@89.99; b u2 S 1@80", LAST_100_TAPE " a+ b+ b-PRICE_RANGE",
     "a sell below"},
    {LAST_100 "range 0.9 1.1; a u1 B 1@90; b u2 S 1@80", LAST_100_TAPE " a+ b+ a>b:1@90",
     "at the lower bound"},
    {LAST_100 "range 0.9 1.1; a u1 S 1@80; b u2 B 1@85", LAST_100_TAPE " a+ b+ b-PRICE_RANGE",
     "a buy below the range as well"},
    {LAST_100 "range 0.9 1.1; a u1 S 1@110; c u1 S 1@111; b u2 B 2@120 fok",
     LAST_100_TAPE " a+ c+ b+ b-PRICE_RANGE", "FOK: nothing, when a part would trade beyond"},
    {LAST_100 "range 0.9 1.1; a u1 S 1@110; c u1 S 1@111; b u2 B 3@120 fok",
     LAST_100_TAPE " a+ c+ b+ b-FOK", "FOK that could not fill anyway"},
    {LAST_100 "range 0.9 1.1; a u1 S 1@110; b u2 B 1@120 fok", LAST_100_TAPE " a+ b+ a>b:1@110",
     "FOK within"},
    {LAST_100 "range 0.9 1.1; a u2 S 1@111; b u2 B 1@120 maker",
     LAST_100_TAPE " a+ b+ b-PRICE_RANGE", "beyond the range it does not matter whose order it is"},
    {LAST_100 "range 0.9 1.1; a u1 S 1@111; b u2 B 1@120 mkt", LAST_100_TAPE " a+ b+ b-PRICE_RANGE",
     "MARKET"},
    {LAST_100
     "range 0.9 1.1; s u5 B 3@150 stop:105; a u1 S 1@105; c u1 S 1@115; d u1 S 1@116; b u2 B 1@105",
     LAST_100_TAPE " s+ a+ c+ d+ b+ a>b:1@105 s^ c>s:1@115 s-PRICE_RANGE",
     "a stop has the range of the price that triggered it"},
};

START_TEST(the_execution_range_bounds_trades)
{
    play(&ranges[_i]);
}
END_TEST

static const struct scenario states[] = {
    {"state POST_ONLY; a u1 B 1@100; b u1 B 1@100 post; c u1 B 1@110 stop:105; d u1 B 1@110 mkt",
     "a!1152 b+ c!1152 d!1152", "POST_ONLY: post-only LIMIT"},
    {"state LIMIT_ONLY; a u1 B 1@100; c u1 B 1@110 stop:105; d u1 B 1@110 mkt; e u1 B 1@110 "
     "stop:105 mkt",
     "a+ c+ d!1152 e!1152", "LIMIT_ONLY: LIMIT and STOP_LIMIT"},
    {"state CANCEL_ONLY; a u1 B 1@100 post; c u1 B 1@110 stop:105", "a!1152 c!1152",
     "CANCEL_ONLY: none"},
    {"state HALT; a u1 B 1@100 post; c u1 B 1@110 stop:105", "a!1152 c!1152", "HALT: none"},
    {"state BREAK; a u1 B 1@100 post; c u1 B 1@110 stop:105", "a!1152 c!1152", "BREAK: none"},
    {"a u1 B 1@110 stop:105; b u1 B 1@90; state HALT; cancel a u1; cancel b u1",
     "a+ b+ a-USER b-USER", "cancels always"},
    {"a u1 B 1@110 stop:105 mkt; b u2 S 9@105; state LIMIT_ONLY; c u3 B 1@105",
     "a+ b+ c+ b>c:1@105 a^ b>a:1@105", "a STOP from before triggers in LIMIT_ONLY"},
    {"a u1 B 2@100; b u2 B 1@100; state BREAK; state TRADING; c u3 S 3@100",
     "a+ b+ c+ a>c:2@100 b>c:1@100", "back in TRADING the queue stands as it stood"},
};

START_TEST(a_state_says_what_goes)
{
    play(&states[_i]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fill orders");
    TCase *orders = tcase_create("orders");
    SRunner *runner = NULL;
    int failed = 0;

    tcase_add_loop_test(orders, a_stop_waits_and_triggers, 0, (int)MR_COUNT(stops));
    tcase_add_loop_test(orders, an_order_with_an_end_expires, 0, (int)MR_COUNT(expiries));
    tcase_add_loop_test(orders, an_amendment_changes_an_order, 0, (int)MR_COUNT(amendments));
    tcase_add_loop_test(orders, a_cancel_of_all_ends_a_users_orders, 0, (int)MR_COUNT(cancels));
    tcase_add_loop_test(orders, decrement_lowers_both, 0, (int)MR_COUNT(preventions));
    tcase_add_loop_test(orders, an_amount_in_quote_buys_whole_lots, 0, (int)MR_COUNT(amounts));
    tcase_add_loop_test(orders, the_execution_range_bounds_trades, 0, (int)MR_COUNT(ranges));
    tcase_add_loop_test(orders, a_state_says_what_goes, 0, (int)MR_COUNT(states));
    suite_add_tcase(suite, orders);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
